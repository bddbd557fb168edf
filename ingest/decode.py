"""Decode a published table: header contract, typed Parquet with lineage columns, nothing interpreted.

DuckDB reads the CSV and writes the Parquet; Python never loops over the rows. Every value that cannot be typed is
NULL in its typed column and its column is named in `cast_errors`, so that the arrival gate can refuse it by row.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import itertools
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingest.registry import Column, Identity, Source, header_key
from perinatal.errors import PerinatalError

DATE_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%Y-%m-%d %H:%M:%S")

# columns of a landed table that are not the publisher's
LINEAGE = ("source_row", "cast_errors")

CONTENT_HASH_MODULUS = 1 << 128


class Unreadable(PerinatalError):
    """A file that cannot be decoded by its header contract.

    Carries a short reason code, and what the file was recognised as, where it was.
    """

    identity: Identity | None = None

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Decoded:
    """A decoded table: typed rows in Parquet, and what was noticed on the way."""

    rows: int
    malformed: list[tuple[int, str]]
    new_columns: list[str]
    absent_trailing_columns: list[str]
    content_sha256: str


def is_plain_csv(path: Path) -> bool:
    """Tell whether a file starts like UTF-8 text with commas and one kind of line end, so that it can be read as is."""
    with path.open("rb") as handle:
        head = handle.read(1 << 16)
    first_line = head.split(b"\n", 1)[0]
    lines_alike = head.count(b"\r\n") in (0, head.count(b"\n")) and head.count(b"\r") == head.count(b"\r\n")
    try:
        head[: head.rfind(b"\n") + 1].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return (
        lines_alike
        and b"," in first_line
        and not head.removeprefix(codecs.BOM_UTF8).lstrip().startswith((b"<", b"{", b"PK"))
        and b"\0" not in head
    )


def read_header(csv_path: Path) -> list[str]:
    """Return the header of a UTF-8 CSV."""
    with csv_path.open(encoding="utf-8-sig", newline="") as handle:
        try:
            header = next(csv.reader(handle), [])
        except (csv.Error, UnicodeDecodeError) as error:
            raise Unreadable("unreadable_header", f"line 1: the header cannot be read ({error})") from None
    return header


def read_sample(csv_path: Path, limit: int = 200) -> list[dict[str, str]]:
    """Return the first rows as header → text, for recognition only."""
    rows: list[dict[str, str]] = []
    with csv_path.open(encoding="utf-8-sig", newline="") as handle:
        try:
            for row in csv.DictReader(handle, restval="", restkey="_extra"):
                row.pop("_extra", None)
                rows.append(row)
                if len(rows) >= limit:
                    break
        except csv.Error as error:
            raise Unreadable("unreadable_rows", f"the first rows cannot be read ({error})") from None
    return rows


def bind(header: list[str], columns: tuple[Column, ...]) -> dict[str, int]:
    """Match a published header with the contract: column name → position. A missing or doubled column is refused."""
    keys = [header_key(name) for name in header]
    doubled = sorted({name for name, key in zip(header, keys, strict=True) if key and keys.count(key) > 1})
    if doubled:
        raise Unreadable("doubled_column", f"line 1: column {doubled[0]!r} stands more than once in the header")
    positions: dict[str, int] = {}
    for column in columns:
        for published in column.published_names:
            if header_key(published) in keys:
                positions[column.name] = keys.index(header_key(published))
                break
    missing = [column.published_names[0] for column in columns if column.required and column.name not in positions]
    if missing:
        found = ", ".join(header[:6]) + (" …" if len(header) > 6 else "")
        raise Unreadable(
            "missing_column",
            f"line 1: required column(s) missing: {', '.join(missing)}; the header has {len(header)} columns: {found}",
        )
    return positions


def _typed(column: Column, raw: str) -> str:
    """Return the SQL that types one raw text column."""
    if column.type in ("text", "interval_text"):
        return f"case when trim({raw}) <> '' then {raw} end"
    plain = f"replace(trim({raw}), ',', '')"
    if column.type == "integer":
        # "5.0" is an integer that a spreadsheet has saved; 5.5 is not
        return (
            f"case when try_cast({plain} as double) = floor(try_cast({plain} as double)) "
            f"then try_cast(try_cast({plain} as double) as bigint) end"
        )
    if column.type == "number":
        return f"case when isfinite(try_cast({plain} as double)) then try_cast({plain} as double) end"
    if column.type == "percent":
        share = f"try_cast(nullif(replace({plain}, '%', ''), '') as double)"
        return f"case when isfinite({share}) then {share} end"
    attempts = ", ".join(f"try_strptime(trim({raw}), '{form}')" for form in DATE_FORMATS)
    return f"cast(coalesce({attempts}) as date)"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _extra_names(headers: list[str]) -> list[str]:
    """Return the names that unknown columns get: `x_` and the plain header; those without one are numbered."""
    plain = [header_key(header).replace(".", "_") for header in headers]
    return [f"x_{name or f'unnamed_{number}'}" for number, name in enumerate(plain, start=1)]


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


def _relation(path: Path, width: int) -> str:
    """Return the table function that reads `width` text columns strictly, setting malformed lines aside."""
    names = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(width))
    location = str(path).replace("'", "''")
    return (
        f"read_csv('{location}', auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', "
        f"columns = {{{names}}}, strict_mode = true, store_rejects = true, rejects_limit = 0, "
        "max_line_size = 33554432)"
    )


def absent_trailing(csv_path: Path, header: list[str], positions: dict[str, int], columns: tuple[Column, ...]) -> int:
    """Return by how many fields every row is shorter than the header, where only optional columns can be lost.

    A publisher's header sometimes names columns that no row has. They are read as absent only when *every* row is
    short by the same number and the header's last names are optional; patterns of the other columns then prove
    that nothing has shifted.
    """
    with csv_path.open(encoding="utf-8-sig", newline="") as handle:
        reader = csv.reader(handle)
        next(reader, None)
        widths = {len(row) for row in itertools.islice(reader, 50) if row}
    if len(widths) != 1 or (short := len(header) - widths.pop()) <= 0:
        return 0
    required = {positions[column.name] for column in columns if column.required and column.name in positions}
    return short if not any(position >= len(header) - short for position in required) else 0


def to_parquet(csv_path: Path, source: Source, dataset: str, parquet: Path, memory_limit: str, threads: int) -> Decoded:
    """Type a UTF-8 CSV by its contract into Parquet, in the publisher's order.

    Columns: `source_row` (1 for the first data row), the contract's columns, `x_…` for columns that the contract
    does not know, and `cast_errors` (names of the columns whose text could not be typed, else NULL).
    """
    header = read_header(csv_path)
    columns = source.columns[dataset]
    positions = bind(header, columns)
    short = absent_trailing(csv_path, header, positions, columns)
    width = len(header) - short
    present = [column for column in columns if positions.get(column.name, width) < width]
    typed = [f"{_typed(column, f'c{positions[column.name]}')} as {_identifier(column.name)}" for column in present]
    checks = [
        f"case when nullif(trim(c{positions[column.name]}), '') is not null and {_identifier(column.name)} is null "
        f"then '{column.name}' end"
        for column in present
        if column.type not in ("text", "interval_text")
    ]
    extra_places = [place for place in range(width) if place not in positions.values()]
    new = [header[place] for place in extra_places]
    extra_names = _extra_names(new)
    extras = [
        f"nullif(c{place}, '') as {_identifier(name)}" for place, name in zip(extra_places, extra_names, strict=True)
    ]
    failed = f"list_filter([{', '.join(checks)}], lambda name: name is not null)" if checks else "[]::varchar[]"
    select = (
        f"select row_number() over () as source_row, {', '.join(typed + extras)}, "
        f"case when len({failed}) > 0 then {failed} end as cast_errors from {_relation(csv_path, width)}"
    )
    with duckdb.connect(config={"memory_limit": memory_limit}) as connection:
        if threads:
            connection.execute(f"set threads = {int(threads)}")
        connection.execute("set enable_progress_bar = false")
        target = str(parquet).replace("'", "''")
        try:
            connection.execute(f"copy ({select}) to '{target}' (format parquet, compression zstd)")
        except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
            raise PerinatalError(
                f"{csv_path.name}: not the file's fault: {_plain(error)}; make room, then again"
            ) from None
        except duckdb.Error as error:
            raise Unreadable("unreadable_rows", _plain(error)) from None
        malformed = _malformed(connection)
        if malformed:
            _renumber(connection, parquet)
        rows, digest = _content(connection, target, [column.name for column in present] + extra_names)
    absent = [name for name in header[width:] if name]
    return Decoded(rows, malformed, new, absent, digest)


def _renumber(connection: duckdb.DuckDBPyConnection, parquet: Path) -> None:
    """Give the rows the numbers that they have in the file, the lines set aside counted too."""
    whole, target = parquet.with_suffix(".numbered"), str(parquet).replace("'", "''")
    connection.execute(
        f"""
        copy (
            with gaps as (
                select line - 1 - row_number() over (order by line) as rows_before
                from (select distinct line from reject_errors))
            select rows.* replace (
                source_row + (select count(*) from gaps where rows_before < source_row) as source_row)
            from read_parquet('{target}') as rows order by rows.source_row
        ) to '{str(whole).replace("'", "''")}' (format parquet, compression zstd)
        """
    )
    whole.replace(parquet)


def content_of(parquet: Path) -> str:
    """Return the content hash of a landed table."""
    with duckdb.connect() as connection:
        names = [name for name in read_header_of(parquet) if name not in LINEAGE]
        return _content(connection, str(parquet).replace("'", "''"), names)[1]


def _content(connection: duckdb.DuckDBPyConnection, target: str, names: list[str]) -> tuple[int, str]:
    """Return row count and the content hash: the same for the same typed rows in whatever order, bytes or layout."""
    ordered = sorted(names)
    row = ", ".join(f"coalesce({_identifier(name)}::varchar, chr(1))" for name in ordered)
    count, low, high = connection.execute(
        f"""
        select count(*), coalesce(sum(md5_number_lower(r)::hugeint), 0), coalesce(sum(md5_number_upper(r)::hugeint), 0)
        from (select concat_ws(chr(2), {row}) as r from read_parquet('{target}'))
        """
    ).fetchall()[0]
    return (
        count,
        f"{count:x}-{low % CONTENT_HASH_MODULUS:x}-{high % CONTENT_HASH_MODULUS:x}-{_name_hash(ordered)}",
    )


def _name_hash(names: list[str]) -> str:
    return hashlib.sha256("|".join(names).encode()).hexdigest()[:16]


def _plain(error: duckdb.Error) -> str:
    """Return the first telling line of a DuckDB error."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"the table cannot be read: {lines[0] if lines else error}"[:300]


def read_header_of(parquet: Path) -> list[str]:
    """Return the column names of a landed table."""
    with duckdb.connect() as connection:
        found = connection.execute("select * from read_parquet($1) limit 0", [str(parquet)]).description or []
    return [name for name, *_ in found]
