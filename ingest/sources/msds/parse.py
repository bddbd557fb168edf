"""Maternity Services Data Set: what a file is, by its header and the period of its rows.

A month stands in the end date (text in every copy seen); the start date is not trusted. That a month is provisional
is said by the publisher's file name alone, e.g. `msds-apr2025Provisional-exp-measures.csv`.
"""

from __future__ import annotations

import re

from expectations.columns import header_key
from ingest.registry import Identity, Sample

# dataset → a column that only it has, the column that holds its period
LAYOUTS = {
    "annual": ("dimension", "period"),
    "monthly_data": ("dimension", "reportingperiodenddate"),
    "monthly_measures": ("currency", "rpenddate"),
}
YEAR = re.compile(r"\d{4}-\d{2}")
DAY = re.compile(r"(?:\d{1,2}/(?P<month>\d{1,2})/(?P<year>\d{4})|(?P<iso_year>\d{4})-(?P<iso_month>\d{2})-\d{2})\b.*")
PROVISIONAL = re.compile(r"prov", re.IGNORECASE)


def recognise(sample: Sample) -> Identity | None:
    """Return dataset (from the header), period (from the rows), provisional or final (from the name)."""
    names = {header_key(name): name for name in sample.header}
    for dataset, columns in LAYOUTS.items():
        if all(column in names for column in columns):
            periods = {_period(row[names[columns[1]]].strip()) for row in sample.rows}
            if len(periods) == 1 and (period := periods.pop()):
                status = "provisional" if PROVISIONAL.search(sample.name) else "final"
                return Identity(dataset, period, status)  # type: ignore[arg-type]
    return None


def _period(text: str) -> str | None:
    """Return `2022-23` as it is, a date as `2025-04`."""
    if YEAR.fullmatch(text):
        return text
    day = DAY.fullmatch(text)
    if day is None:
        return None
    return f"{day['year'] or day['iso_year']}-{int(day['month'] or day['iso_month']):02d}"
