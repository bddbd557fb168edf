"""The tile map: one tile of the same size an LMS, about where it lies, for each key indicator."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from publish.portal import wording as words
from publish.portal.lookup import Lookup
from publish.portal.model import Record, Value
from publish.portal.overview import Cell, Column, Overview

PLACES = Path(__file__).parent / "tile_map.csv"
COLUMNS = 7
HIGHEST_ROW = 14  # the style sheet has rows and columns up to here


@dataclass(frozen=True)
class Tile:
    """An LMS on the map: row and column, short name, page from the root, what the grid's cell says, its value."""

    row: int
    column: int
    short_name: str
    name: str
    page: str
    region: str
    cell: Cell
    value: Value | None


@cache
def places() -> dict[str, tuple[int, int, str]]:
    """Return row, column and short name of each LMS on the map."""
    with PLACES.open(encoding="utf-8", newline="") as file:
        return {
            row["lms_code"]: (int(row["row"]), int(row["column"]), row["short_name"]) for row in csv.DictReader(file)
        }


class TileMaps:
    """Makes the map of each key indicator."""

    def __init__(self, lookup: Lookup, overview: Overview) -> None:
        self.lookup = lookup
        self.overview = overview

    def listed(self) -> list[tuple[Column, str]]:
        """Return the key indicators with the page of their map, from the root."""
        return [(column, self.page_of(column)) for column in self.overview.columns]

    def page_of(self, column: Column) -> str:
        """Return the page of an indicator's map, from the root."""
        return f"map/{words.slug(column.indicator_id)}-{words.slug(column.source_id)}.html"

    def page(self, column: Column) -> dict[str, Any]:
        """Return the context of an indicator's map."""
        tiles = sorted(self._tiles(column), key=lambda tile: (tile.row, tile.column))
        england = next(iter(self.lookup.by_indicator.get(("england", column.indicator_id, column.source_id), [])), None)
        return {"column": column, "tiles": tiles, "england": england, "maps": self.listed()}

    def _tiles(self, column: Column) -> Iterable[Tile]:
        known = places()
        others = [row for row in self.lookup.edition.lms if row["lms_code"] not in known]
        for lms in self.lookup.edition.lms:
            row, place, short = known.get(lms["lms_code"]) or _below(others.index(lms), lms)
            code = lms["lms_code"]
            yield Tile(
                row=row,
                column=place,
                short_name=short,
                name=lms["lms_name"],
                page=f"lms/{words.slug(code)}.html",
                region=lms["region_name"] or "",
                cell=self.overview.lms_cell(code, column),
                value=self.lookup.one.get(("lms", code, column.indicator_id, column.source_id)),
            )


def _below(place: int, lms: Record) -> tuple[int, int, str]:
    """Return where an LMS stands that the map does not know: in rows below the others."""
    return (min(11 + place // COLUMNS, HIGHEST_ROW), place % COLUMNS + 1, str(lms["lms_code"]))
