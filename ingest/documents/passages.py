"""A report as it was read: its title, address, day, and its passages in order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Passage:
    """One paragraph or list item. `headings` go from the document's title down to the nearest."""

    text: str
    headings: tuple[str, ...] = ()
    page: int | None = None


@dataclass(frozen=True)
class Report:
    """What was read of a report. `published_on` is an ISO date, None where the report does not say it."""

    title: str
    url: str | None
    published_on: str | None
    passages: tuple[Passage, ...]
