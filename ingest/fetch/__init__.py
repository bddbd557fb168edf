"""Asking publishers over HTTP."""
