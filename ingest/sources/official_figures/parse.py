"""National figures that are published only as prose, entered by the observations template."""

from ingest.land import template

recognise = template.recogniser("official_figures")
