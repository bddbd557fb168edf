"""Trusts' board returns: our template; recognised by what the rows say."""

from ingest.land import template

recognise = template.recogniser("board_return")
