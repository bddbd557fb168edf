"""One sheet of a workbook as a table: from its header on, error cells and formulas without a result refused by cell.

A merged cell below the header stands for each of its rows where it holds text and lies in one column. Hidden rows and
columns are read like others (a filter hides rows), and noted.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.land.cell_facts import DIGIT, CellFacts, ranges
from ingest.land.csv_text import Shape, write_rows
from ingest.land.formulas import Address, a1
from ingest.land.known_header import LOOKED_AT, Finder, HeaderRow, one_table
from perinatal.dropped_files import Unusable

REMEDY: Final = {
    "error": ("error_cells", "hold errors of a spreadsheet", "put right what they are computed from, or blank them"),
    "formula": (
        "formulas_without_result",
        "are formulas without a computed result",
        "open the file in a spreadsheet program, let it calculate, and save it",
    ),
}
MOST_RANGES: Final = 8
NUMBER: Final = re.compile(r"\s*[-+]?[\d.,]+\s*%?\s*")


@dataclass(frozen=True)
class Sheet:
    """A sheet as the reader has written it, from its first row on.

    `left` is the column in which its rows start, counted from 0.
    """

    file: str
    name: str
    left: int
    facts: CellFacts


@dataclass(frozen=True)
class SheetTable:
    """What became of a sheet: the shape of the table, the row of its header, the text above it, what to know of it."""

    shape: Shape
    header_line: int
    above: tuple[str, ...]
    notes: tuple[str, ...]


def copy_sheet(raw: Path, sheet: Sheet, out: Path, find: Finder) -> SheetTable:
    """Write the table of a sheet as CSV. Raises Unusable with the cells that cannot be read."""
    head = list(itertools.islice(_rows(raw), LOOKED_AT))
    header = find(head)
    _check_raised(raw, sheet, header)
    texts = _texts(sheet, header) | _filled(raw, sheet, header)
    columns = _columns(raw, header)
    rows = (
        (
            number + 1,
            [texts.get((number, sheet.left + place), cell) for place, cell in enumerate(row) if place in columns],
        )
        for number, row in enumerate(_rows(raw))
        if number >= header.index and any(row)
    )
    above = tuple(text for row in head[: header.index] if (text := " ".join(filter(None, row)).strip()))
    shape = write_rows(one_table(rows, find, f"{sheet.file}: sheet {sheet.name!r}, row"), out)
    return SheetTable(shape, header.index + 1, above, _notes(sheet))


def _rows(raw: Path) -> Iterator[list[str]]:
    with raw.open(encoding="utf-8", newline="") as handle:
        yield from csv.reader(handle)


def _columns(raw: Path, header: HeaderRow) -> set[int]:
    """Return the columns of the table: those with a name, and those with any text below the header."""
    found = {place for place, name in enumerate(header.cells) if name.strip()}
    for row in itertools.islice(_rows(raw), header.index + 1, None):
        found.update(place for place, cell in enumerate(row) if cell)
    return found


def _known(sheet: Sheet, header: HeaderRow) -> set[int]:
    """Return the columns of the sheet that the layout knows; without a layout, those with a name."""
    if header.fit:
        places = {place for several in header.fit.places.values() for place in several}
    else:
        places = {place for place, name in enumerate(header.cells) if name.strip()}
    return {sheet.left + place for place in places}


def _texts(sheet: Sheet, header: HeaderRow) -> dict[Address, str]:
    """Return what stands in error cells and formulas without a result of columns that the layout does not know.

    In a column that it knows they are refused.
    """
    below = {at: odd for at, odd in sheet.facts.odd.items() if at[0] >= header.index}
    known = _known(sheet, header)
    for kind, (reason, what, remedy) in REMEDY.items():
        cells = [at for at, odd in below.items() if odd[0] == kind and at[1] in known]
        if cells:
            seen = sorted({below[at][1] for at in cells})
            shown = f" ({', '.join(seen[:3])}{' …' if len(seen) > 3 else ''})"
            raise Unusable(reason, f"{sheet.file}: {_named(sheet, cells)} {what}{shown}: {remedy}")
    return {at: text for at, (_, text) in below.items()}


def _check_raised(raw: Path, sheet: Sheet, header: HeaderRow) -> None:
    """Raise Unusable where numbers or dates have raised, lowered or struck-out digits: a note's mark, or no value."""
    below = {at for at in sheet.facts.raised if at[0] > header.index}
    if header.fit:
        below = {at for at in below if at[1] - sheet.left in header.fit.digits}
    if not below:
        return
    cells = [
        (number, sheet.left + place)
        for number, row in enumerate(_rows(raw))
        for place, cell in enumerate(row)
        if (number, sheet.left + place) in below and DIGIT.search(cell)
    ]
    if cells:
        remedy = "they would be read as part of the number; delete them there, and keep them in a note"
        what = f"{_named(sheet, cells)} with raised, lowered or struck-out digits: {remedy}"
        raise Unusable("raised_digits", f"{sheet.file}: {what}")


def _named(sheet: Sheet, cells: list[Address]) -> str:
    found = ranges(cells)
    shown = ", ".join(found[:MOST_RANGES]) + (" …" if len(found) > MOST_RANGES else "")
    return f"sheet {sheet.name!r}: {len(cells):,} cell{'s' if len(cells) > 1 else ''} ({shown})"


def _filled(raw: Path, sheet: Sheet, header: HeaderRow) -> dict[Address, str]:
    """Return the texts of merged cells for each of their rows. Raises Unusable for merged numbers and columns."""
    known = _known(sheet, header)
    merged = {
        first: last
        for first, last in sheet.facts.merged
        if last[0] > header.index and any(column in known for column in range(first[1], last[1] + 1))
    }
    if not merged:
        return {}
    found: dict[Address, str] = {}
    cells = {
        (number, sheet.left + place): cell for number, row in enumerate(_rows(raw)) for place, cell in enumerate(row)
    }
    for first, last in merged.items():
        text = cells.get(first, "")
        if first[0] > header.index and (first[1] != last[1] or NUMBER.fullmatch(text)):
            what = f"sheet {sheet.name!r}: {a1(first)}:{a1(last)} is one merged cell ({text[:40]!r})"
            raise Unusable("merged_cells", f"{sheet.file}: {what}: unmerge it, and enter what each cell holds")
        if first[0] > header.index:
            found |= {(row, first[1]): text for row in range(first[0], last[0] + 1)}
    return found


def _notes(sheet: Sheet) -> tuple[str, ...]:
    counts = {"row": sheet.facts.hidden_rows, "column": sheet.facts.hidden_columns}
    return tuple(f"{count:,} hidden {what}{'s' if count > 1 else ''} read" for what, count in counts.items() if count)
