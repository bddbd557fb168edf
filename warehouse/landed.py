"""What a build takes: landed releases with their typed rows, and the layouts that they are in.

`ingest` hands these over; the warehouse knows no publisher and no manifest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from expectations.columns import Column
from expectations.no_values import WORDS, without_no_values
from perinatal.sql import identifier
from warehouse.corrections import Correction, overlay

# lineage columns of a landed table that name columns
LISTS = ("cast_errors", "cell_marks")


@dataclass(frozen=True)
class Layout:
    """A published layout: its columns in the order of the header contract. Any number of datasets may share one."""

    source_id: str
    name: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class WarnedRows:
    """Rows of a landed file, from first to last, that did not meet a standard of severity `warn` on arrival."""

    rule: str
    first: int
    last: int


@dataclass(frozen=True)
class LandedRelease:
    """One landed revision of a release. `rows` is its Parquet file; dates are ISO 8601 text, times UTC.

    `cadence_days`, `lag_days` and `grace_days` are the dataset's calendar (no cadence: nothing more is due).
    `scope` says whether a newer release replaces an older one as a whole (`release`) or row by row (`row`).
    """

    release_key: str
    source_id: str
    dataset: str
    layout: str
    release: str
    revision: int
    status: str
    sha256: str
    original_name: str
    url: str | None
    published_on: str | None
    fetched_at: str
    publisher: str
    licence: str
    audience: str
    is_synthetic: bool
    rows_in: int
    rows_landed: int
    rows_quarantined: int
    has_arrival_warning: bool
    warned_rows: tuple[WarnedRows, ...]
    scope: str
    cadence_days: int | None
    lag_days: int
    grace_days: int
    rows: Path
    corrections: tuple[Correction, ...]

    def corrected(self, relation: str) -> str:
        """Return a query over the rows in which known errors of the publisher are corrected."""
        return overlay(relation, self.corrections)


def layout_rows(layout: Layout, parts: Sequence[str]) -> str:
    """Return a query over the rows of one layout from queries over its releases.

    It gives the columns of the layout, typed even where nothing is landed, and NULL where something else stands for a
    number.
    """
    columns = {
        "release_key": "varchar",
        "is_kept": "boolean",
        "source_row": "bigint",
        **dict.fromkeys(LISTS, "varchar[]"),
    }
    columns |= {WORDS: "varchar"} | {column.name: column.sql_type for column in layout.columns}
    empty = ", ".join(f"null::{kind} as {identifier(name)}" for name, kind in columns.items())
    rows = "\nunion all by name\n".join([f"select {empty} where false", *parts])
    return without_no_values(f"({rows})", layout.columns, set(columns))
