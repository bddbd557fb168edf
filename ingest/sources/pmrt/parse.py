"""PMRT annual reports: our templates; recognised by what the rows say."""

from ingest.land import template

recognise = template.recogniser("pmrt")
