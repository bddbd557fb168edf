"""Decode a published table: typed Parquet with lineage columns, nothing interpreted.

DuckDB reads the CSV, DuckDB or Arrow writes the Parquet; Python never loops over the rows. Every value that cannot be
typed is NULL in its typed column and its column is named in `cast_errors`, so that the arrival gate can refuse it by
row.
"""

from __future__ import annotations

import codecs
import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingest.land.cell_types import Forms
from ingest.land.content_hash import PIECE, Content, content_of, pieces
from ingest.land.dates import Order
from ingest.land.reading_plan import (
    Reading,
    forms_in,
    has_fraction,
    has_point_before_decimals,
    is_odd,
    quick_query,
    reading_of,
    thorough_query,
)
from ingest.land.unreadable import Unreadable
from ingest.number_style import NumberStyle
from ingest.registry import Source
from perinatal.errors import NoRoom
from perinatal.sql import literal

# rows of a Parquet row group, which are held in memory at a time: hashed and written as one
ROW_GROUP = PIECE
# of zstd, the fastest level costs two thirds of the time of the default, for files a tenth larger
PARQUET = f"format parquet, compression zstd, compression_level 1, row_group_size {ROW_GROUP}"


@dataclass(frozen=True)
class Decoded:
    """A decoded table: typed rows in Parquet, and what was noticed on the way.

    `sheet` and `header_line` say where in the file it stood, `notes` what people should know of that.
    """

    rows: int
    malformed: list[tuple[int, str]]
    new_columns: list[str]
    absent_trailing_columns: list[str]
    content_sha256: str
    number_style: NumberStyle
    date_order: Order | None
    sheet: str | None = None
    header_line: int = 1
    notes: tuple[str, ...] = ()


def is_plain_csv(path: Path) -> bool:
    """Tell whether a file starts like UTF-8 text with commas and one kind of line end, so that it can be read as is.

    Its last line has a line end too: without one it may be cut off.

    Line breaks inside quotes belong to a cell and may be of another kind; in the header they may not be at all: DuckDB
    takes the first line break that it meets for the file's own, and finds no rows where it is not.
    """
    with path.open("rb") as handle:
        head = handle.read(1 << 16)
        handle.seek(-1 if head else 0, os.SEEK_END)
        last = handle.read(1)
    first_line = head.split(b"\n", 1)[0]
    bare = re.sub(rb'"[^"]*"', b"", head.rsplit(b"\n", 1)[0] + b"\n")
    lines_alike = bare.count(b"\r\n") in (0, bare.count(b"\n")) and bare.count(b"\r") == bare.count(b"\r\n")
    try:
        head[: head.rfind(b"\n") + 1].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return (
        lines_alike
        and last == b"\n"
        and b"," in first_line
        and first_line.count(b'"') % 2 == 0
        and b"\r" not in first_line.removesuffix(b"\r")
        and not head.removeprefix(codecs.BOM_UTF8).lstrip().startswith((b"<", b"{", b"PK"))
        and b"\0" not in head
    )


def to_parquet(
    csv_path: Path,
    source: Source,
    dataset: str,
    parquet: Path,
    memory_limit: str,
    threads: int,
    separator: str = ",",
) -> Decoded:
    """Type a UTF-8 CSV by its contract into Parquet, in the publisher's order.

    `separator` stood between the cells of the file that it was made from (see NumberStyle).

    Columns: `source_row` (1 for the first data row), the contract's columns, `x_…` for columns that the contract
    does not know, `cast_errors` (names of the columns whose text could not be typed, else NULL), `cell_words` (what
    stood for no value in cells of numbers, "count=[c]; value=*", else NULL) and, where the source says that numbers may
    have marks, `cell_marks` (names of the columns whose number had one, else NULL).
    """
    reading = reading_of(csv_path, source, dataset)
    forms = Forms(NumberStyle(separator))
    with _connection(memory_limit, threads) as connection:
        target = literal(parquet)
        try:
            plain = _plainly(connection, reading, csv_path, parquet)
            if not plain:
                # rows are numbered in the file's order, which one thread does: a second one only gets in its way
                _use_threads(connection, 1)
                forms = forms_in(connection, reading, csv_path, separator)
                connection.execute(f"copy ({thorough_query(reading, csv_path, forms)}) to {target} ({PARQUET})")
        except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
            raise NoRoom(
                f"{csv_path.name}: not the file's fault: {_first_line(error)}; make room, then again"
            ) from None
        except duckdb.Error as error:
            raise Unreadable("unreadable_rows", _first_line(error)) from None
        malformed = [] if plain else _malformed(connection)
        if malformed:
            _renumber(connection, parquet)
    rows, digest = plain or content_of(parquet)
    return Decoded(rows, malformed, reading.new, reading.absent, digest, forms.numbers, forms.days.order)


def _connection(memory_limit: str, threads: int) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"memory_limit": memory_limit})
    connection.execute("set enable_progress_bar = false")
    _use_threads(connection, threads)
    return connection


def _use_threads(connection: duckdb.DuckDBPyConnection, threads: int) -> None:
    """Let DuckDB work with so many threads; 0: one for each core."""
    connection.execute(f"set threads = {int(threads)}" if threads else "reset threads")


def _plainly(
    connection: duckdb.DuckDBPyConnection, reading: Reading, csv_path: Path, parquet: Path
) -> tuple[int, str] | None:
    """Try the quick way; returns rows and content where every line and every number is plainly what the contract says.

    Blank texts and infinite numbers, which become NULL, are looked for in what was written: faster than cell by cell.
    """
    quick = quick_query(reading, str(csv_path))
    content = _stream(connection, quick, parquet) if quick else None
    if content is None:
        return None
    odd = ", ".join(f"bool_or({is_odd(column)})" for column in reading.present)
    found = connection.execute(f"select {odd} from read_parquet($1)", [str(parquet)]).fetchall()[0]
    return content if not any(found) and _points_are_plain(connection, reading, parquet) else None


def _points_are_plain(connection: duckdb.DuckDBPyConnection, reading: Reading, parquet: Path) -> bool:
    """Tell whether numbers have no points, or one that shows that points stand before decimals."""
    points = [sql for column in reading.present if (sql := has_fraction(column))]
    shown = [sql for column in reading.present if (sql := has_point_before_decimals(column))]
    if not points:
        return True
    asked = f"select bool_or({' or '.join(points)}), bool_or({' or '.join(shown)}) from read_parquet($1)"
    has_points, is_shown = connection.execute(asked, [str(parquet)]).fetchall()[0]
    return is_shown or not has_points


def _stream(connection: duckdb.DuckDBPyConnection, query: str, parquet: Path) -> tuple[int, str] | None:
    """Write the rows of a query in their order; returns their number and content.

    None where that did not go well: the thorough way tells what is wrong. DuckDB reads on one processor while Arrow
    writes and the content is hashed on another: its own COPY does both on one where rows are numbered, and takes half
    as long again.
    """
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    try:
        with connection.sql(query).to_arrow_reader(ROW_GROUP) as reader, ThreadPoolExecutor(1) as beside:
            content, hashing = Content(reader.schema.names, has_words=False), None
            texts = [field.name for field in reader.schema if pa.types.is_string(field.type)]
            with ParquetWriter(
                parquet, reader.schema, compression="zstd", compression_level=1, use_dictionary=texts
            ) as out:
                for piece in pieces(reader):
                    if hashing:
                        hashing.result()  # one piece at a time: no more are held
                    hashing = beside.submit(content.add, piece)
                    out.write_table(piece, ROW_GROUP)
            if hashing:
                hashing.result()
    except (duckdb.Error, pa.ArrowException, OSError):
        parquet.unlink(missing_ok=True)
        return None
    return content.found()


def _renumber(connection: duckdb.DuckDBPyConnection, parquet: Path) -> None:
    """Give the rows the numbers that they have in the file, the lines set aside counted too."""
    whole, target = parquet.with_suffix(".numbered"), literal(parquet)
    connection.execute(
        f"""
        copy (
            with gaps as (
                select line - 1 - row_number() over (order by line) as rows_before
                from (select distinct line from reject_errors))
            select rows.* replace (
                source_row + (select count(*) from gaps where rows_before < source_row) as source_row)
            from read_parquet({target}) as rows order by rows.source_row
        ) to {literal(whole)} ({PARQUET})
        """
    )
    whole.replace(parquet)


def _malformed(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, str]]:
    """Return the lines that do not have the header's number of fields: (line, reason), each line once."""
    return connection.execute(
        """
        select line, any_value(case
            when error_type = 'MISSING COLUMNS' then 'has fewer fields than the header'
            when error_type = 'TOO MANY COLUMNS' then 'has more fields than the header'
            when error_type = 'UNQUOTED VALUE' then 'has an opening quote that is not closed'
            when error_type = 'INVALID ENCODING' then 'has bytes that are not UTF-8'
            else lower(error_type) end)
        from reject_errors group by line order by line
        """
    ).fetchall()


def _first_line(error: duckdb.Error) -> str:
    """Return the first telling line of a DuckDB error."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"the table cannot be read: {lines[0] if lines else error}"[:300]


def read_header_of(parquet: Path) -> list[str]:
    """Return the column names of a landed table."""
    with duckdb.connect() as connection:
        found = connection.execute("select * from read_parquet($1) limit 0", [str(parquet)]).description or []
    return [name for name, *_ in found]
