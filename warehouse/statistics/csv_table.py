"""A CSV file as a DuckDB table of text cells that knows the file's own line numbers, and errors that name them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from perinatal.errors import PerinatalError
from perinatal.sql import literal

if TYPE_CHECKING:
    from _csv import Reader as CsvReader
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

NUMBER = r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?"
MISSING = ("", "NA")


def plain_name(name: str) -> str:
    """Return a column's name as it is compared: without case, spaces and underscores (`LowerCL` is `lower_cl`)."""
    return name.strip().lower().replace("_", "").replace(" ", "")


@dataclass(frozen=True)
class Row:
    """One row of the file: the line that it begins on (1 is the header's) and its cells as text."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class CsvTable:
    """A CSV file whose rows are the DuckDB table `cells` too: `line`, and its columns as text `c0, c1, ...`."""

    path: Path
    header: list[str]
    rows: list[Row]
    connection: duckdb.DuckDBPyConnection

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {plain_name(name): position for position, name in enumerate(self.header)}

    def has(self, *names: str) -> bool:
        """Whether the file has all these columns."""
        return all(plain_name(name) in self._positions for name in names)

    def spelled(self, *names: str) -> list[str]:
        """Return those of these columns that the file has, in the file's own spelling and order."""
        wanted = {plain_name(name) for name in names}
        return [name for name in self.header if plain_name(name) in wanted]

    def first_of(self, *names: str) -> str | None:
        """Return the first of these columns that the file has."""
        return next((name for name in names if self.has(name)), None)

    def values(self, name: str) -> list[tuple[int, str]]:
        """Return (line, text) of every cell of a column, in the file's order; a missing cell is ''."""
        position = self._positions[plain_name(name)]
        cells = [(row.line, row.cells[position].strip()) for row in self.rows]
        return [(line, "" if text in MISSING else text) for line, text in cells]

    def text(self, name: str, default: str | None = None) -> str:
        """Return the SQL of a cell as text; `default` (or null) stands for a missing column or cell."""
        fallback = literal(default)
        if not self.has(name):
            return f"{fallback}::varchar"
        cell = f"c{self._positions[plain_name(name)]}"
        return f"coalesce(nullif(nullif(trim({cell}), ''), 'NA'), {fallback})"

    def number(self, name: str) -> str:
        """Return the SQL of a cell as a double; null where it is missing (`require_numbers` refuses other text)."""
        return f"try_cast({self.text(name)} as double)"

    def error(self, line: int, what: str) -> PerinatalError:
        """Return the error for a line of the file."""
        return PerinatalError(f"{self.path}, line {line}: {what}")

    def refuse_where(self, condition: str, what: str) -> None:
        """Raise for the first line where the SQL `condition` holds; `what` says what is wrong and the remedy."""
        row = self.connection.execute(f"select min(line) from cells where {condition}").fetchone()
        if row is not None and row[0] is not None:
            raise self.error(row[0], what)

    def require_numbers(self, *names: str) -> None:
        """Raise for a cell of these columns that is given and is not a finite number."""
        for name in names:
            if self.has(name):
                text, number = self.text(name), self.number(name)
                self.refuse_where(
                    f"{text} is not null and not (regexp_full_match({text}, {literal(NUMBER)})"
                    f" and coalesce(isfinite({number}), false))",
                    f"{name} is not a number; write plain digits (1234.5) or leave the cell empty",
                )

    def require_columns(self, *names: str, instead: str = "") -> None:
        """Raise unless the file has these columns; `instead` says what would do as well."""
        missing = [name for name in names if not self.has(name)]
        if missing:
            alternative = f" or {instead}" if instead else ""
            raise self.error(
                1,
                f"expected the columns {', '.join(names)}{alternative};"
                f" missing: {', '.join(missing)} (found {', '.join(self.header)})",
            )

    def require_unique(self, key: str, what: str) -> None:
        """Raise for the first line whose SQL `key` stood on an earlier line; both lines are named."""
        repeated = self.connection.execute(
            "select line, first_line from"
            f" (select line, min(line) over (partition by {key}) as first_line from cells)"
            " where line > first_line order by line limit 1"
        ).fetchone()
        if repeated:
            raise self.error(repeated[0], f"{what} (the first is on line {repeated[1]})")


def load(path: Path, connection: duckdb.DuckDBPyConnection) -> CsvTable:
    """Read the file into the table `cells`; errors say why it cannot be read, with the line."""
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        header = _header(path, next(reader, []))
        rows = list(_rows(path, reader, len(header)))
    except csv.Error as error:
        raise PerinatalError(
            f"{path}, line {reader.line_num}: not readable as CSV ({error}); close every quoted cell with a quote"
        ) from error
    if not rows:
        raise PerinatalError(f"{path} has a header but no rows; expected at least one row of data")
    columns = [[row.line for row in rows], *([row.cells[at] for row in rows] for at in range(len(header)))]
    names = ", ".join(["unnest(?::bigint[]) as line", *(f"unnest(?::varchar[]) as c{at}" for at in range(len(header)))])
    connection.execute(f"create table cells as select {names}", columns)
    return CsvTable(path, header, rows, connection)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise PerinatalError(f"{path} cannot be read ({error.strerror}); give the path of a CSV file") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise PerinatalError(f"{path}, line {line}: not UTF-8 text; save it as CSV UTF-8") from error


def _header(path: Path, cells: list[str]) -> list[str]:
    header = [name.strip() for name in cells]
    if not header or "" in header:
        raise PerinatalError(f"{path}, line 1: expected a header that names every column")
    if len({plain_name(name) for name in header}) < len(header):
        raise PerinatalError(f"{path}, line 1: a column name stands twice; names must differ: {', '.join(header)}")
    return header


def _rows(path: Path, reader: CsvReader, width: int) -> Iterator[Row]:
    """Yield the rows with the line that each begins on; empty lines are passed over."""
    begins = reader.line_num + 1
    for cells in reader:
        if len(cells) == width:
            yield Row(begins, cells)
        elif cells:
            raise PerinatalError(
                f"{path}, line {begins}: {len(cells)} cells, expected {width} cells a line, as in the header;"
                " quote a cell that holds a comma"
            )
        begins = reader.line_num + 1
