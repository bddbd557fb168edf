"""National Patient Safety Alerts: our template; recognised by what the rows say."""

from ingest.land import template

recognise = template.recogniser("npsa")
