"""Maternity Services Data Set: what a file is, by its header and the period of its rows.

A month stands in the end date (text in every copy seen); the start date is not trusted. That a month is provisional
is said by the publisher's file name alone, e.g. `msds-apr2025Provisional-exp-measures.csv`.
"""

from __future__ import annotations

import re

from ingest.land.dates import DateCell, read_days
from ingest.registry import Identity, Sample, header_key

# dataset → a column that only it has, the column that holds its period
LAYOUTS = {
    "annual": ("dimension", "period"),
    "monthly_data": ("dimension", "reportingperiodenddate"),
    "monthly_measures": ("currency", "rpenddate"),
}
YEAR = re.compile(r"\d{4}-\d{2}")
PROVISIONAL = re.compile(r"prov", re.IGNORECASE)


def recognise(sample: Sample) -> Identity | None:
    """Return dataset (from the header), period (from the rows), provisional or final (from the name)."""
    names = {header_key(name): name for name in sample.header}
    for dataset, columns in LAYOUTS.items():
        if all(column in names for column in columns):
            periods = _periods(sample, names[columns[1]])
            if len(periods) == 1 and (period := periods.pop()):
                status = "provisional" if PROVISIONAL.search(sample.name) else "final"
                return Identity(dataset, period, status)  # type: ignore[arg-type]
    return None


def _periods(sample: Sample, column: str) -> set[str | None]:
    """Return the periods of the rows: `2022-23` as it is, a date as `2025-04`, None for anything else."""
    texts = [row[column].strip() for row in sample.rows]
    if all(YEAR.fullmatch(text) for text in texts):
        return set(texts)
    days = read_days(DateCell(column, row, text) for row, text in enumerate(texts, start=1)).of
    return {f"{days[text]:%Y-%m}" if text in days else None for text in texts}
