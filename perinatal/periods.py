"""Periods in words: the same on pages, in workbooks, in feeds and in the briefing."""

from __future__ import annotations

from datetime import date


def in_words(label: str, end: date | None, months: int | None) -> str:
    """Write a period as people do: April 2025 for the publisher's 2025-04; years as they are labelled.

    A value that covers more months than its label says (`months_covered` of the marts) names the last of them: three
    months to April 2025.
    """
    return _of_month(label, end, months, "%B %Y", "three" if months == 3 else str(months))


def in_short(label: str, end: date | None, months: int | None) -> str:
    """Write a period for the head of a narrow column or an axis: Apr 2025, 3 months to Apr 2025."""
    return _of_month(label, end, months, "%b %Y", str(months))


def _of_month(label: str, end: date | None, months: int | None, form: str, counted: str) -> str:
    if end is None or label != f"{end:%Y-%m}":
        return label
    return f"{end:{form}}" if months in (None, 1) else f"{counted} months to {end:{form}}"
