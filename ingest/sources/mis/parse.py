"""Maternity Incentive Scheme results: our template; recognised by what the rows say."""

from ingest.land import template

recognise = template.recogniser("mis")
