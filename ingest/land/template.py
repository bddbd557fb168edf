"""Templates: this project's own layouts for what publishers give only as prose, and for returns typed by people.

`ingest/templates/<template>/columns.csv` is the header contract, `example.csv` shows it; docs/templates.md explains
both. A source whose `source.yml` names a template for a dataset needs no columns of its own, and its `parse.py` is
one line: `recognise = template.recogniser("<id>")`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from ingest.land.dates import DateCell, day_of, read_days
from ingest.land.unreadable import Unreadable
from ingest.registry import Identity, Sample

OBSERVATIONS: Final = ("source", "dataset", "release", "indicator", "level", "period", "value", "unit")
FINDINGS: Final = ("source", "document_title", "published_on", "kind", "text")
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def recogniser(source_id: str) -> Callable[[Sample], Identity | None]:
    """Return the function that recognises both templates of one source by header and first row.

    Whether the other rows say the same is a standard of the arrival gate, which names those that do not.
    """

    def recognise(sample: Sample) -> Identity | None:
        """Return dataset and release as the first row says them. Raises Unreadable where they can be no names."""
        header = {name.strip() for name in sample.header}
        first = {name.strip(): value.strip() for name, value in sample.rows[0].items()} if sample.rows else {}
        if first.get("source") != source_id:
            return None
        if header.issuperset(OBSERVATIONS):
            return _observations(first)
        return _findings(first, sample) if header.issuperset(FINDINGS) else None

    return recognise


def _observations(first: Mapping[str, str]) -> Identity | None:
    dataset, release = first["dataset"], first["release"]
    for column, name in (("dataset", dataset), ("release", release)):
        if not NAME.fullmatch(name):
            raise Unreadable("not_recognised", f"row 1: {column} is {name[:80]!r}: use letters, digits and . _ - only")
    return Identity(dataset, release, layout="observations")


def _findings(first: Mapping[str, str], sample: Sample) -> Identity | None:
    """Return the document as dataset and its day of publication as release, as a person said it where it does not."""
    given = [row.get(name, "") for row in sample.rows for name in row if name.strip() == "published_on"]
    days = read_days(DateCell("published_on", row, text.strip()) for row, text in enumerate(given, start=1))
    found = days.of.get(first["published_on"])
    day = found.isoformat() if found else iso_date(sample.release or "")
    dataset = slug(first["document_title"])
    if not dataset:
        raise Unreadable("not_recognised", "row 1: document_title is blank")
    return Identity(dataset, day or "", published_on=day, layout="findings")


def iso_date(text: str) -> str | None:
    """Return a date of a document as ISO text, the day first where it is all numbers; None where it is none."""
    day = day_of(text, "day_first")
    return day.isoformat() if day else None


def slug(text: str) -> str:
    """Return a title as a name: lower case, words joined by hyphens, at most 80 characters."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:80].rstrip("-")
