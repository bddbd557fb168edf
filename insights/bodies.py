"""Who speaks: the bodies behind the sources, and findings in which one body only passes on what another has said.

Sources of one body (`taxonomy/bodies.csv`) are one voice. A finding passes on another body's where it says so
("MBRRACE-UK reported that …"), or where most of its words stood in an earlier document of that body.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from insights.themes import TAXONOMY
from perinatal.csv_rows import read_rows

COLUMNS = ("source", "body", "names", "note")
RUN = 8  # words: a run of so many that two documents share is no coincidence
SHARED = 0.5  # of a finding's runs of words, from which on it passes on the other document's
SAID = (
    r"(?:ha[sv]e? )?(?:also |previously )?"
    r"(?:found|reported|recommended|recommends?|identified|highlighted|concluded|noted|published|stated|showed|says?)\b"
)
CREDITED = (
    r"(?:according to|as (?:reported|found|recommended|identified|highlighted|noted|set out|stated) (?:by|in)|"
    r"(?:reports?|reviews?|findings?|recommendations?|investigations?|enquir(?:y|ies)|analysis|figures) "
    r"(?:by|from|of|made by)|recommended by|quot(?:ed?|ing)(?: from)?)"
)


@dataclass(frozen=True)
class Said:
    """One finding: who published it, and when."""

    finding_id: str
    source: str
    published_on: date | None
    text: str


@cache
def body_of_source() -> Mapping[str, str]:
    """Read which body stands behind each source; a source that is not listed is a body of its own."""
    return {row["source"]: row["body"] for _, row in read_rows(TAXONOMY / "bodies.csv", COLUMNS)}


def quoted_bodies(findings: Sequence[Said]) -> dict[str, str]:
    """Find the findings that pass on another body's: finding_id → that body."""
    quoted = {item.finding_id: body for item in findings if (body := _credited(item))}
    return _repeated(item for item in findings if item.finding_id not in quoted) | quoted


@cache
def _credits() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the ways in which each body is credited with what a text says."""
    found: dict[str, list[str]] = {}
    for _, row in read_rows(TAXONOMY / "bodies.csv", COLUMNS):
        if row["names"]:
            found.setdefault(row["body"], []).append(row["names"])
    return tuple((body, _credit("|".join(names))) for body, names in found.items())


def _credit(names: str) -> re.Pattern[str]:
    known = rf"(?:the )?(?:{names})(?:['’]s)?"
    return re.compile(rf"\b(?:{CREDITED} {known}\b|{known} (?:(?:report|review|programme) )?{SAID})")


def _credited(item: Said) -> str | None:
    own = body_of_source().get(item.source, item.source)
    return next((body for body, credit in _credits() if body != own and credit.search(item.text)), None)


def _repeated(findings: Iterable[Said]) -> dict[str, str]:
    """Find findings most of whose words another body published on an earlier day."""
    first: dict[str, tuple[date, str]] = {}
    repeated: dict[str, str] = {}
    dated = ((item.published_on, item.finding_id, item) for item in findings if item.published_on)
    for day, finding_id, item in sorted(dated, key=lambda found: found[:2]):
        own, runs = body_of_source().get(item.source, item.source), _runs(item.text)
        earlier = Counter(first[run][1] for run in runs if run in first and first[run][0] < day)
        body, shared = max(earlier.items(), key=lambda found: (found[1], found[0]), default=(own, 0))
        if body != own and shared >= SHARED * len(runs):
            repeated[finding_id] = body
            continue
        for run in runs:
            first.setdefault(run, (day, own))
    return repeated


def _runs(text: str) -> set[str]:
    words = re.findall(r"[a-z0-9]+", text.lower())
    return {" ".join(words[start : start + RUN]) for start in range(len(words) - RUN + 1)}
