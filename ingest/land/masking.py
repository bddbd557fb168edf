"""Names of persons masked in the columns that hold prose, before anything of a file is landed."""

from __future__ import annotations

import csv
from pathlib import Path

from expectations.columns import Column
from ingest.land.header import bind, cells_of, read_header

LONGEST_PROSE = 5000  # characters of a cell in a table that holds prose


def mask_names(csv_path: Path, out: Path, columns: tuple[Column, ...]) -> None:
    """Copy a UTF-8 CSV with the names of persons masked in its columns of prose; other cells stay as they are.

    A name found in one cell is masked in all. The archived original keeps them.
    """
    from perinatal import person_names as privacy

    positions = bind(read_header(csv_path), columns)
    prose = {positions[column.name] for column in columns if column.type == "prose" and column.name in positions}
    known: set[str] = set()
    for row in cells_of(csv_path, strict=True, longest=LONGEST_PROSE):
        for place in prose & set(range(len(row))):
            known.update(privacy.find_names(row[place]))
    rows = cells_of(csv_path, strict=True, longest=LONGEST_PROSE)
    with out.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(next(rows))
        writer.writerows(
            [privacy.mask_names(cell, known) if place in prose else cell for place, cell in enumerate(row)]
            for row in rows
        )
