"""MBRRACE-UK viewer exports: what a file is.

The two files of a year have the same columns; only the publisher's file name tells them apart. The release is the
year of birth, from the rows.
"""

from __future__ import annotations

import re
from collections import Counter

from expectations.columns import header_key
from ingest.land.number_shapes import without_marks
from ingest.land.unreadable import Unreadable
from ingest.registry import Identity, Sample

NAME = re.compile(r"perinatal-mortality-rates(?P<excluding>-excluding-congenital-anomalies)?[-_.(\s\d]", re.IGNORECASE)


def recognise(sample: Sample) -> Identity | None:
    """Return dataset (from the name, "" where it does not say it) and birth year (from the rows)."""
    years = Counter(
        without_marks(text)
        for row in sample.rows
        for header, text in row.items()
        if header_key(header) in ("reportyear", "year")
    )
    if not years:
        return None
    year = years.most_common(1)[0][0]
    if not re.fullmatch(r"\d{4}", year):
        raise Unreadable("no_period", f"column ReportYear is {year!r}, which is no year")
    name = NAME.search(sample.name)
    suffix = "_excluding_congenital_anomalies" if name and name["excluding"] else ""
    return Identity(f"perinatal_mortality{suffix}" if name else "", year)
