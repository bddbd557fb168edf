"""Corrections of publishers' known errors: data, with a reason, and a guard that tells when they are no longer needed.

`corrections.yml` of a source is a list of

    - id: mbrrace-2023-airedale-births
      dataset: perinatal_mortality
      release: "2023"
      match: {organisation_code: 5}        # columns and values that pick the row
      column: total_births
      expect: 1861                         # what the publisher prints; anything else, and nothing is corrected
      value: 1816
      reason: digits swapped, confirmed by the publisher
      reported_by: Insights group
      date: 2025-06-01

Landed rows stay as published: corrections are laid over them when a build reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from perinatal.errors import PerinatalError
from perinatal.sql import Value, identifier, literal


@dataclass(frozen=True)
class Correction:
    """One correction of one column in the rows that `match` picks."""

    id: str
    dataset: str
    release: str
    match: dict[str, Value]
    column: str
    expect: Value
    value: Value
    reason: str
    reported_by: str
    date: date

    def predicate(self) -> str:
        """Return the SQL that picks the rows."""
        return " and ".join(f"{identifier(column)} = {literal(value)}" for column, value in sorted(self.match.items()))

    def guard(self) -> str:
        """Return the SQL that holds while the publisher still prints the error."""
        return f"{identifier(self.column)} is not distinct from {literal(self.expect)}"


@cache
def load(folder: Path) -> tuple[Correction, ...]:
    """Read `corrections.yml` of a source folder; a wrong entry is named."""
    path = folder / "corrections.yml"
    if not path.exists():
        return ()
    found: list[Correction] = []
    for number, raw in enumerate(yaml.safe_load(path.read_text(encoding="utf-8")) or [], start=1):
        found.append(_correction(path, number, raw))
    return tuple(found)


def _correction(path: Path, number: int, raw: dict[str, Any]) -> Correction:
    try:
        correction = Correction(**{**raw, "release": str(raw["release"])})
    except (TypeError, KeyError) as error:
        raise PerinatalError(f"{path}: entry {number}: {error}; see warehouse/corrections.py for the fields") from None
    if not correction.match:
        raise PerinatalError(f"{path}: entry {number} ({correction.id}): `match` is empty and would change every row")
    return correction


def overlay(relation: str, corrections: Iterable[Correction]) -> str:
    """Return a select over `relation` with the corrections laid over it."""
    by_column: dict[str, list[Correction]] = {}
    for correction in corrections:
        by_column.setdefault(correction.column, []).append(correction)
    changed = []
    for column, own in by_column.items():
        cases = " ".join(f"when {c.predicate()} and {c.guard()} then {literal(c.value)}" for c in own)
        changed.append(f"case {cases} else {identifier(column)} end as {identifier(column)}")
    return f"select * replace ({', '.join(changed)}) from {relation}"
