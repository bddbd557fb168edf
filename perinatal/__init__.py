"""Perinatal Insights: settings, command line and the order of the steps."""
