"""Answers of trusts and local maternity systems in our own template: recognised by its header.

The release is the organisation and the day of the first row: a file of the same organisation and day replaces the
earlier one, others stand beside it.
"""

from ingest.land import template
from ingest.land.unreadable import Unreadable
from ingest.registry import Identity, Sample

HEADER = {"organisation", "indicator", "period", "text", "name", "date"}


def recognise(sample: Sample) -> Identity | None:
    """Return organisation and day as release. Raises Unreadable where the first row has none."""
    if not HEADER.issubset(name.strip() for name in sample.header) or not sample.rows:
        return None
    first = {name.strip(): value.strip() for name, value in sample.rows[0].items()}
    day = template.iso_date(first["date"])
    if not template.NAME.fullmatch(first["organisation"]):
        raise Unreadable("not_recognised", f"row 1: organisation is {first['organisation'][:80]!r}, which is no code")
    if day is None:
        raise Unreadable("not_recognised", f"row 1: date is {first['date'][:80]!r}, which is no day such as 2026-01-15")
    return Identity("answers", f"{first['organisation'].upper()}-{day}")
