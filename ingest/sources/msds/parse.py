"""Maternity Services Data Set: what a file is, by its header and the period of its rows.

A month stands in the end date (text in every copy seen); the start date is not trusted. A word of the publisher's file
name, e.g. `msds-apr2025Provisional-exp-measures.csv`, says that a month is provisional, else a text above the header.
"""

from __future__ import annotations

import re
from typing import Literal

from expectations.columns import header_key
from ingest.land.dates import DateCell, read_days
from ingest.land.unreadable import Unreadable
from ingest.registry import Identity, Sample
from perinatal.printable import listed, printable

# dataset → a column that only it has, the column that holds its period
LAYOUTS = {
    "annual": ("dimension", "period"),
    "monthly_data": ("dimension", "reportingperiodenddate"),
    "monthly_measures": ("currency", "rpenddate"),
}
YEAR = re.compile(r"\d{4}-\d{2}")
# a word ends where the case changes: "apr2025Provisional-exp" has it, "Provider-and-national" has not
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def recognise(sample: Sample) -> Identity | None:
    """Return dataset (from the header), period (from the rows), provisional or final (from name or title)."""
    names = {header_key(name): name for name in sample.header}
    for dataset, columns in LAYOUTS.items():
        if all(column in names for column in columns):
            return Identity(dataset, _release(sample, names[columns[1]]), status_of(sample.name, *sample.above))
    return None


def status_of(*texts: str) -> Literal["final", "provisional"]:
    """Return the status that the first text with such a word says: final where none does."""
    for text in texts:
        words = {word.lower() for word in WORD.findall(text)}
        if "provisional" in words:
            return "provisional"
        if "final" in words:
            return "final"
    return "final"


def _release(sample: Sample, column: str) -> str:
    """Return the one period of the first rows, else "" where a person has said it. Raises Unreadable."""
    texts = [row[column].strip() for row in sample.rows]
    days = read_days(DateCell(column, row, text) for row, text in enumerate(texts, start=1)).of
    periods = {text if YEAR.fullmatch(text) else f"{days[text]:%Y-%m}" if text in days else "" for text in texts}
    if len(periods) == 1 and "" not in periods:
        return periods.pop()
    if sample.release:
        return ""
    odd = sorted(text for text in texts if text not in days and not YEAR.fullmatch(text))
    what = f"is {printable(odd[0])!r}, which is no date or year" if odd else f"has {listed(sorted(periods))}"
    wanted = "a file holds one month (2025-04-30, 30/04/2025) or year (2022-23)"
    raise Unreadable("no_period", f"column {column} {what}: {wanted}")
