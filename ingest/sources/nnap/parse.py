"""NNAP results in our own template: recognised by its header; the release is the data year of the first row."""

import re

from ingest.land.number_shapes import without_marks
from ingest.land.unreadable import Unreadable
from ingest.registry import Identity, Sample

HEADER = {"data_year", "measure", "level", "name", "unit_level", "network", "numerator", "denominator", "value"}


def recognise(sample: Sample) -> Identity | None:
    """Return the data year as release. Raises Unreadable where the first row has none."""
    if not HEADER.issubset(name.strip() for name in sample.header) or not sample.rows:
        return None
    year = without_marks(sample.rows[0].get("data_year", ""))
    if not re.fullmatch(r"20\d\d", year):
        raise Unreadable("no_period", f"row 1: data_year is {year!r}, which is no year such as 2023")
    return Identity("unit_results", year)
