"""The header of a CSV, and its first rows: matched with the header contract, for recognition and for reading."""

from __future__ import annotations

import csv
import itertools
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from expectations.columns import Column
from ingest.land.unreadable import Unreadable
from ingest.registry import header_key
from perinatal.printable import listed


def cells_of(csv_path: Path, *, strict: bool = False, longest: int = sys.maxsize) -> Iterator[list[str]]:
    """Yield the rows of a UTF-8 CSV, its header first. Raises Unreadable with the line."""
    with csv_path.open(encoding="utf-8-sig", newline="") as handle:
        reader = csv.reader(handle, strict=strict)
        try:
            for row in reader:
                if any(len(cell) > longest for cell in row):
                    what = f"a cell is longer than {longest:,} characters; enter a passage, not a chapter"
                    raise Unreadable("too_long", f"line {reader.line_num}: {what}")
                yield row
        except (csv.Error, UnicodeDecodeError) as error:
            raise Unreadable("unreadable_rows", f"line {reader.line_num}: {error}") from None


def read_header(csv_path: Path) -> list[str]:
    """Return the header of a UTF-8 CSV."""
    return next(cells_of(csv_path), [])


def read_sample(csv_path: Path, limit: int = 200) -> list[dict[str, str]]:
    """Return the first rows as header → text, for recognition only."""
    rows = cells_of(csv_path)
    header = next(rows, [])
    return [
        dict(itertools.zip_longest(header, row[: len(header)], fillvalue=""))
        for row in itertools.islice(filter(None, rows), limit)
    ]


def bind(header: list[str], columns: tuple[Column, ...]) -> dict[str, int]:
    """Match a published header with the contract: column name → position. A missing or doubled column is refused."""
    keys = [header_key(name) for name in header]
    doubled = sorted({name for name, key in zip(header, keys, strict=True) if key and keys.count(key) > 1})
    if doubled:
        raise Unreadable(
            "doubled_column", f"line 1: column {listed(doubled[:1])!r} stands more than once in the header"
        )
    positions: dict[str, int] = {}
    # plain names first, so that a pattern never takes what another column is plainly called
    for places_of in (_by_name, _by_pattern):
        for column in columns:
            places = [] if column.name in positions else places_of(column, keys, positions)
            if len(places) > 1:
                named = listed([header[place] for place in places])
                raise Unreadable("ambiguous_column", f"line 1: several columns could be {column.name}: {named}")
            if places:
                positions[column.name] = places[0]
    missing = [column.published_names[0] for column in columns if column.required and column.name not in positions]
    if missing:
        found = f"the header has {len(header)} columns: {listed(header)}"
        raise Unreadable("missing_column", f"line 1: required column(s) missing: {', '.join(missing)}; {found}")
    return positions


def _is_pattern(published: str) -> bool:
    return len(published) > 2 and published.startswith("/") and published.endswith("/")


def _by_name(column: Column, keys: list[str], taken: dict[str, int]) -> list[int]:  # noqa: ARG001 - one signature
    """Return where the first of a column's published names stands that the header has."""
    names = (header_key(name) for name in column.published_names if not _is_pattern(name))
    return next(([keys.index(name)] for name in names if name in keys), [])


def _by_pattern(column: Column, keys: list[str], taken: dict[str, int]) -> list[int]:
    """Return where a pattern of a column's published names fits a header that no other column has."""
    patterns = [name[1:-1] for name in column.published_names if _is_pattern(name)]
    free = (place for place in range(len(keys)) if place not in taken.values())
    return [place for place in free if any(re.fullmatch(pattern, keys[place]) for pattern in patterns)]


def absent_trailing(csv_path: Path, header: list[str], positions: dict[str, int], columns: tuple[Column, ...]) -> int:
    """Return by how many fields every row is shorter than the header, where only optional columns can be lost.

    A publisher's header sometimes names columns that no row has. They are read as absent only when *every* row is
    short by the same number and the header's last names are optional; patterns of the other columns then prove
    that nothing has shifted.
    """
    widths = {len(row) for row in itertools.islice(cells_of(csv_path), 1, 51) if row}
    if len(widths) != 1 or (short := len(header) - widths.pop()) <= 0:
        return 0
    required = {positions[column.name] for column in columns if column.required and column.name in positions}
    return short if not any(position >= len(header) - short for position in required) else 0
