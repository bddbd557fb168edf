"""CSV in, with errors that name the file, the row, the expected columns and the remedy."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from perinatal.errors import PerinatalError


def read_rows(
    path: Path, columns: tuple[str, ...], *, encodings: tuple[str, ...] = ("utf-8-sig",)
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line number of the row's end, row) for a CSV that has at least `columns`; UTF-8 unless `encodings` says.

    Of several encodings the first that fits is taken.

    Raises PerinatalError on a missing file, wrong encoding, missing columns or a ragged row.
    """
    reader = csv.reader(io.StringIO(_text(path, encodings), newline=""), strict=True)
    wanted = ", ".join(columns)
    try:
        header = [name.strip() for name in next(reader, [])]
        missing = [name for name in columns if name not in header]
        if missing:
            found = ", ".join(header) or "nothing"
            raise PerinatalError(
                f"{path}, row 1: column {', '.join(missing)} is missing (found: {found}). "
                f"Expected the columns {wanted}; add a header row with these names."
            )
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise PerinatalError(
                    f"{path}, line {reader.line_num}: {len(cells)} cells where the header has {len(header)}. "
                    f'Expected the columns {wanted}; put text that holds commas or quotes in "quotes".'
                )
            yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise PerinatalError(
            f"{path}, line {reader.line_num}: not readable as CSV ({error}). "
            f"Expected the columns {wanted}; save the file as CSV (UTF-8) again."
        ) from error


def _text(path: Path, encodings: tuple[str, ...]) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PerinatalError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error
    wrong: UnicodeDecodeError | None = None
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError as error:
            wrong = wrong or error
    line = content.count(b"\n", 0, wrong.start if wrong else 0) + 1
    raise PerinatalError(f"{path}, line {line}: not UTF-8. Save the file as CSV (UTF-8).") from wrong
