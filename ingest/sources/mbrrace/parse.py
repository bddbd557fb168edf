"""MBRRACE-UK viewer exports: what a file is.

The two files of a year have the same columns; only the publisher's file name tells them apart. The release is the
year of birth, from the rows.
"""

from __future__ import annotations

import re
from collections import Counter

from ingest.land.number_shapes import without_marks
from ingest.registry import Identity, Sample, header_key

NAME = re.compile(r"perinatal-mortality-rates(?P<excluding>-excluding-congenital-anomalies)?[-_.(\s\d]", re.IGNORECASE)


def recognise(sample: Sample) -> Identity | None:
    """Return dataset (from the name) and birth year (from the rows)."""
    years = Counter(
        without_marks(text)
        for row in sample.rows
        for header, text in row.items()
        if header_key(header) in ("reportyear", "year")
    )
    name = NAME.search(sample.name)
    year = years.most_common(1)[0][0] if years else ""
    if name is None or not re.fullmatch(r"\d{4}", year):
        return None
    suffix = "_excluding_congenital_anomalies" if name["excluding"] else ""
    return Identity(f"perinatal_mortality{suffix}", year)
