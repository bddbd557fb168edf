"""Corrections of publishers' known errors: data, with a reason, and a guard that tells when they are no longer needed.

`corrections.yml` of a source is a list of

    - id: mbrrace-2023-airedale-births
      dataset: perinatal_mortality
      release: "2023"
      match: {organisation_code: 5}        # columns and values that pick the row: at least one
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
from datetime import date as Date  # noqa: N812 - a field has its name
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from perinatal.records import Record
from perinatal.sql import Value, identifier, literal
from perinatal.yaml_records import read_yaml


class Correction(Record):
    """One correction of one column in the rows that `match` picks."""

    id: str
    dataset: str
    release: Annotated[str, BeforeValidator(str)]
    match: Annotated[dict[str, Value], Field(min_length=1)]
    column: str
    expect: Value
    value: Value
    reason: str
    reported_by: str
    date: Date

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
    return tuple(read_yaml(path, list[Correction])) if path.exists() else ()


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
