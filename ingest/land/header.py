"""The header of a CSV, and its first rows: matched with the header contract, for recognition and for reading."""

from __future__ import annotations

import codecs
import csv
import itertools
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from expectations.columns import Column, header_key
from ingest.land.known_header import LOOKED_AT, missing_from, places_of
from ingest.land.unreadable import Unreadable
from perinatal.printable import listed

BLOCK: Final = 1 << 20  # bytes looked at in one go


def cells_of(csv_path: Path, *, strict: bool = False, longest: int = sys.maxsize) -> Iterator[list[str]]:
    """Yield the rows of a UTF-8 CSV, its header first. Raises Unreadable with the line."""
    with csv_path.open(encoding="utf-8-sig", newline="") as handle:
        reader = csv.reader(handle, strict=strict)
        try:
            for row in reader:
                if any(len(cell) > longest for cell in row):
                    what = f"a cell is longer than {longest:,} characters; enter a passage, not a chapter"
                    raise Unreadable("too_long", what, line=reader.line_num)
                yield row
        except (csv.Error, UnicodeDecodeError) as error:
            raise Unreadable("unreadable_rows", str(error), line=reader.line_num) from None


def read_header(csv_path: Path) -> list[str]:
    """Return the header of a UTF-8 CSV."""
    return next(cells_of(csv_path), [])


def first_rows(csv_path: Path, limit: int = LOOKED_AT) -> list[list[str]]:
    """Return the first rows of a UTF-8 CSV, for finding its header: as far as they can be read."""
    with csv_path.open(encoding="utf-8-sig", errors="replace", newline="") as handle, suppress(csv.Error):
        return list(itertools.islice(csv.reader(handle), limit))
    return []


def has_one_header(csv_path: Path) -> bool:
    """Tell whether no further line of a CSV starts with the first two names of its header: a second table would."""
    with csv_path.open("rb") as handle:
        names = handle.readline().removeprefix(codecs.BOM_UTF8).split(b",")[:2]
        again, end = b"\n" + b",".join(names), b"\n"
        while block := handle.read(BLOCK):
            if again in (block := end + block):
                return False
            end = block[-len(again) :]
    return True


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
            "doubled_column",
            f"column {listed(doubled[:1])!r} stands more than once in the header",
            line=1,
            columns=len(header),
        )
    places = places_of(keys, columns)
    for name, several in places.items():
        if len(several) > 1:
            named = listed([header[place] for place in several])
            what = f"several columns could be {name}: {named}"
            raise Unreadable("ambiguous_column", what, line=1, columns=len(header))
    missing = missing_from(places, columns)
    if missing:
        found = f"the header has {len(header)} columns: {listed(header)}"
        what = f"required column(s) missing: {', '.join(missing)}; {found}"
        raise Unreadable("missing_column", what, line=1, columns=len(header))
    return {name: place for name, (place,) in places.items()}


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
