"""Decode a published table: header contract, typed Parquet with lineage columns, nothing interpreted.

DuckDB reads the CSV, DuckDB or Arrow writes the Parquet; Python never loops over the rows (prose, where it masks names,
aside). Every value that cannot be typed is NULL in its typed column and its column is named in `cast_errors`, so that
the arrival gate can refuse it by row.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import itertools
import re
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from expectations.columns import TEXT_TYPES, Column
from ingest.archive.store import Incoming
from ingest.registry import Cells, Identity, Source, header_key
from perinatal.errors import PerinatalError
from perinatal.printable import listed
from perinatal.sql import identifier, literal

LONGEST_PROSE = 5000  # characters of a cell in a table that holds prose
DATE_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%Y-%m-%d %H:%M:%S")

NO_THOUSANDS = r",([0-9]{0,2}|[0-9]{4,})([^0-9]|$)"

# columns of a landed table that are not the publisher's
LINEAGE = ("source_row", "cast_errors", "cell_marks")

# bytes of one line; also bounds the reader's buffers (16 lines long if nothing is said), and so the memory for a file
MAX_LINE = 4 << 20
# the same for the quick way, which leaves longer lines to the thorough one
QUICK_LINE = 1 << 20
# rows of a Parquet row group: about 20 MB of a wide table, which is what is held in memory at a time
ROW_GROUP = 60_000
# of zstd, the fastest level costs two thirds of the time of the default, for files a tenth larger
PARQUET = f"format parquet, compression zstd, compression_level 1, row_group_size {ROW_GROUP}"
# the types that DuckDB's own CSV reader types as we do, where nothing stands beside the numbers
PLAIN_TYPES = (*TEXT_TYPES, "integer", "number")
LARGEST_WHOLE = 2**53  # what a double holds exactly


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
    """Tell whether a file starts like UTF-8 text with commas and one kind of line end, so that it can be read as is.

    Line breaks inside quotes belong to a cell and may be of another kind; in the header they may not be at all: DuckDB
    takes the first line break that it meets for the file's own, and finds no rows where it is not.
    """
    with path.open("rb") as handle:
        head = handle.read(1 << 16)
    first_line = head.split(b"\n", 1)[0]
    bare = re.sub(rb'"[^"]*"', b"", head.rsplit(b"\n", 1)[0] + b"\n")
    lines_alike = bare.count(b"\r\n") in (0, bare.count(b"\n")) and bare.count(b"\r") == bare.count(b"\r\n")
    try:
        head[: head.rfind(b"\n") + 1].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return (
        lines_alike
        and b"," in first_line
        and first_line.count(b'"') % 2 == 0
        and b"\r" not in first_line.removesuffix(b"\r")
        and not head.removeprefix(codecs.BOM_UTF8).lstrip().startswith((b"<", b"{", b"PK"))
        and b"\0" not in head
    )


def _cells(csv_path: Path, *, strict: bool = False, longest: int = sys.maxsize) -> Iterator[list[str]]:
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
    return next(_cells(csv_path), [])


def read_sample(csv_path: Path, limit: int = 200) -> list[dict[str, str]]:
    """Return the first rows as header → text, for recognition only."""
    rows = _cells(csv_path)
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


def mask_names(csv_path: Path, out: Path, columns: tuple[Column, ...]) -> None:
    """Copy a UTF-8 CSV with the names of persons masked in its columns of prose; other cells stay as they are.

    A name found in one cell is masked in all. The archived original keeps them.
    """
    from perinatal import person_names as privacy

    positions = bind(read_header(csv_path), columns)
    prose = {positions[column.name] for column in columns if column.type == "prose" and column.name in positions}
    known: set[str] = set()
    for row in _cells(csv_path, strict=True, longest=LONGEST_PROSE):
        for place in prose & set(range(len(row))):
            known.update(privacy.find_names(row[place]))
    rows = _cells(csv_path, strict=True, longest=LONGEST_PROSE)
    with out.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(next(rows))
        writer.writerows(
            [privacy.mask_names(cell, known) if place in prose else cell for place, cell in enumerate(row)]
            for row in rows
        )


def _cleaned(raw: str, cells: Cells) -> str:
    """Return the SQL of a number's or date's cell without what the source says may stand there beside it."""
    text = raw
    if cells.markup:
        text = f"regexp_replace({text}, '</?[A-Za-z][^>]*>', '', 'g')"
    if cells.marks:
        text = f"rtrim(trim({text}), {literal(cells.marks)})"
    return f"trim({text})"


def _cast(column: Column, raw: str, cells: Cells) -> str:
    """Return the SQL that casts one raw text column.

    Cells are cast as they stand first: in large files nearly all can be, and cleaning costs more than reading. The
    cases keep DuckDB from cleaning every cell all the same, to have it as a common part of two expressions.
    """
    if column.type in TEXT_TYPES:
        return _text(raw)
    clean = _cleaned(raw, cells)
    # a comma that three digits do not follow separates no thousands: 2,65 is not 265
    plain = f"if(regexp_matches({clean}, '{NO_THOUSANDS}'), null, replace({clean}, ',', ''))"
    if column.type in ("integer", "number"):
        cast = f"try_cast({raw} as double)"
        return f"case when {cast} is not null then {cast} when {raw} is not null then try_cast({plain} as double) end"
    if column.type == "percent":
        return f"try_cast(replace({plain}, '%', '') as double)"
    attempts = ", ".join(f"try_strptime({clean}, '{form}')" for form in DATE_FORMATS)
    return f"cast(coalesce({attempts}) as date)"


def _typed(column: Column) -> str:
    """Return the SQL of a column's value from its cast."""
    cast = identifier(column.name)
    if column.type == "integer":
        return f"case when {_is_whole(cast)} then {cast}::bigint end"
    return f"case when isfinite({cast}) then {cast} end" if column.type in ("number", "percent") else cast


def _is_whole(number: str) -> str:
    """Return whether a double is an integer: "5.0" is one that a spreadsheet has saved, 5.5 is not.

    What a double cannot hold exactly is none either.
    """
    return f"{number} = floor({number}) and abs({number}) <= {LARGEST_WHOLE}"


def _text(raw: str) -> str:
    """Return the SQL of a text cell: NULL where it is blank."""
    return f"case when not {_is_blank(raw)} then {raw} end"


def _is_blank(text: str) -> str:
    """Return the SQL of whether a text is nothing but spaces. Most begin with a letter: no trimming."""
    return f"({text} < '!' and trim({text}) = '')"


def _named_where(conditions: dict[str, str]) -> str:
    """Return the SQL of the list of names whose condition holds, NULL where none does (as nearly always)."""
    if not conditions:
        return "null::varchar[]"
    any_holds = " or ".join(f"({condition})" for condition in conditions.values())
    names = ", ".join(f"case when {condition} then {literal(name)} end" for name, condition in conditions.items())
    return f"case when {any_holds} then list_filter([{names}], lambda name: name is not null) end"


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


SET_ASIDE = "store_rejects = true, rejects_limit = 0, "


def _relation(
    location: str, width: int, numbers: Collection[int] = (), more: str = SET_ASIDE, longest: int = MAX_LINE
) -> str:
    """Return the table function that reads `width` columns strictly: doubles at the places `numbers`, else text.

    Malformed lines are set aside; without `more`, they and cells that are no numbers are errors.
    """
    names = ", ".join(f"'c{place}': '{'DOUBLE' if place in numbers else 'VARCHAR'}'" for place in range(width))
    return (
        f"read_csv({literal(location)}, auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', "
        f"columns = {{{names}}}, nullstr = '', strict_mode = true, {more}"
        f"max_line_size = {longest}, buffer_size = {2 * longest})"
    )


def absent_trailing(csv_path: Path, header: list[str], positions: dict[str, int], columns: tuple[Column, ...]) -> int:
    """Return by how many fields every row is shorter than the header, where only optional columns can be lost.

    A publisher's header sometimes names columns that no row has. They are read as absent only when *every* row is
    short by the same number and the header's last names are optional; patterns of the other columns then prove
    that nothing has shifted.
    """
    widths = {len(row) for row in itertools.islice(_cells(csv_path), 1, 51) if row}
    if len(widths) != 1 or (short := len(header) - widths.pop()) <= 0:
        return 0
    required = {positions[column.name] for column in columns if column.required and column.name in positions}
    return short if not any(position >= len(header) - short for position in required) else 0


@dataclass(frozen=True)
class Reading:
    """How a CSV is read by its contract, which its header and first rows decide.

    `present` and `extras` (columns that the contract does not know) say where columns stand, `width` how many fields
    there are.
    """

    present: dict[Column, int]
    extras: dict[str, int]
    width: int
    cells: Cells
    new: list[str]
    absent: list[str]


@dataclass(frozen=True)
class Ahead:
    """What was read of a copy before it was whole: good for the whole one if that is to be read in the same way.

    `rows` is None where the quick way did not do.
    """

    reading: Reading
    rows: Path | None


def reading_of(csv_path: Path, source: Source, dataset: str) -> Reading:
    """Tell how a CSV is to be read. Raises Unreadable where its header breaks the contract."""
    header = read_header(csv_path)
    columns = source.columns[dataset]
    positions = bind(header, columns)
    width = len(header) - absent_trailing(csv_path, header, positions, columns)
    present = {column: positions[column.name] for column in columns if positions.get(column.name, width) < width}
    extra_places = [place for place in range(width) if place not in positions.values()]
    new = [header[place] for place in extra_places]
    extras = dict(zip(_extra_names(new), extra_places, strict=True))
    return Reading(present, extras, width, source.cells, new, [name for name in header[width:] if name])


def to_parquet(
    csv_path: Path,
    source: Source,
    dataset: str,
    parquet: Path,
    memory_limit: str,
    threads: int,
    ahead: Ahead | None = None,
) -> Decoded:
    """Type a UTF-8 CSV by its contract into Parquet, in the publisher's order.

    Columns: `source_row` (1 for the first data row), the contract's columns, `x_…` for columns that the contract
    does not know, `cast_errors` (names of the columns whose text could not be typed, else NULL) and, where the source
    says that numbers may have marks, `cell_marks` (names of the columns whose number had one, else NULL).
    """
    reading = reading_of(csv_path, source, dataset)
    with _connection(memory_limit, threads) as connection:
        target = literal(parquet)
        try:
            is_plain = _is_plain(connection, reading, csv_path, parquet, ahead)
            if not is_plain:
                # rows are numbered in the file's order, which one thread does: a second one only gets in its way
                _use_threads(connection, 1)
                connection.execute(f"copy ({_thorough(reading, csv_path)}) to {target} ({PARQUET})")
        except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
            raise PerinatalError(
                f"{csv_path.name}: not the file's fault: {_plain(error)}; make room, then again"
            ) from None
        except duckdb.Error as error:
            raise Unreadable("unreadable_rows", _plain(error)) from None
        _use_threads(connection, threads)
        malformed = [] if is_plain else _malformed(connection)
        if malformed:
            _renumber(connection, parquet)
        rows, digest = _content(connection, target, [column.name for column in reading.present] + list(reading.extras))
    return Decoded(rows, malformed, reading.new, reading.absent, digest)


def read_ahead(
    copy: Incoming, source: Source, dataset: str, parquet: Path, memory_limit: str, threads: int
) -> Ahead | None:
    """Type a copy that is still being made, the quick way; None where the contract has types that it does not know."""
    from ingest.archive import growing_copy as growing

    reading = reading_of(copy.path, source, dataset)
    quick = _quick(reading, growing.ADDRESS)
    if quick is None:
        return None
    system = growing.FileSystem(copy)
    with _connection(memory_limit, threads) as connection:
        connection.register_filesystem(system)
        is_typed = _streams(connection, quick, parquet)
    if system.interrupted:
        raise system.interrupted
    return Ahead(reading, parquet if is_typed else None)


def _connection(memory_limit: str, threads: int) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"memory_limit": memory_limit})
    connection.execute("set enable_progress_bar = false")
    _use_threads(connection, threads)
    return connection


def _use_threads(connection: duckdb.DuckDBPyConnection, threads: int) -> None:
    """Let DuckDB work with so many threads; 0: one for each core."""
    connection.execute(f"set threads = {int(threads)}" if threads else "reset threads")


def _is_plain(
    connection: duckdb.DuckDBPyConnection, reading: Reading, csv_path: Path, parquet: Path, ahead: Ahead | None
) -> bool:
    """Try the quick way; tells whether every line and every number is plainly what the contract says.

    Blank texts and infinite numbers, which become NULL, are looked for in what was written: faster than cell by cell.
    """
    if ahead and ahead.reading == reading:
        if ahead.rows is None:
            return False
        ahead.rows.replace(parquet)
    else:
        quick = _quick(reading, str(csv_path))
        if quick is None or not _streams(connection, quick, parquet):
            return False
    odd = ", ".join(f"bool_or({_is_odd(column)})" for column in reading.present)
    return not any(connection.execute(f"select {odd} from read_parquet($1)", [str(parquet)]).fetchall()[0])


def _streams(connection: duckdb.DuckDBPyConnection, query: str, parquet: Path) -> bool:
    """Write the rows of a query in their order; tells whether that went well (the thorough way tells what is wrong).

    DuckDB reads on one processor while Arrow writes on another: its own COPY does both on one where rows are numbered,
    and takes half as long again.
    """
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    try:
        with connection.sql(query).to_arrow_reader(ROW_GROUP) as reader:
            schema, held = reader.schema, reader.schema.empty_table()
            texts = [field.name for field in schema if pa.types.is_string(field.type)]
            with ParquetWriter(parquet, schema, compression="zstd", compression_level=1, use_dictionary=texts) as out:
                for batch in reader:
                    held = pa.concat_tables([held, pa.Table.from_batches([batch])])
                    if held.num_rows >= ROW_GROUP:
                        out.write_table(held.slice(0, ROW_GROUP), ROW_GROUP)
                        held = held.slice(ROW_GROUP)
                if held.num_rows:
                    out.write_table(held, ROW_GROUP)
    except (duckdb.Error, pa.ArrowException, OSError):
        parquet.unlink(missing_ok=True)
        return False
    return True


def _is_odd(column: Column) -> str:
    """Return the SQL of whether a cell that was read in its type already becomes NULL all the same."""
    name = identifier(column.name)
    return _is_blank(name) if column.type in TEXT_TYPES else f"not isfinite({name}::double)"


def _quick(reading: Reading, location: str) -> str | None:
    """Return the SQL that lets DuckDB's reader type the numbers, which takes half the time of `_thorough`.

    It gives the same rows where `_is_plain` says so afterwards, or ends with an error: at a malformed line, at a cell
    that is no number or not whole. None where the contract has types that it does not know.
    """
    if not all(column.type in PLAIN_TYPES for column in reading.present):
        return None
    places = reading.present.items()
    numbers = {place for column, place in places if column.type not in TEXT_TYPES}
    typed = [f"{_plainly(column, f'c{place}')} as {identifier(column.name)}" for column, place in places]
    typed += [f"c{place} as {identifier(name)}" for name, place in reading.extras.items()]
    typed += [
        f"null::varchar[] as {name}" for name in ("cast_errors", *(["cell_marks"] if reading.cells.marks else []))
    ]
    relation = _relation(location, reading.width, numbers, more="", longest=QUICK_LINE)
    return f"select row_number() over () as source_row, {', '.join(typed)} from {relation}"


def _plainly(column: Column, raw: str) -> str:
    """Return the SQL of a column whose cell is read in its type already; ends with an error where it is not whole."""
    if column.type != "integer":
        return raw
    return f"case when {raw} is not null then if({_is_whole(raw)}, {raw}::bigint, error('not plain')) end"


def _thorough(reading: Reading, csv_path: Path) -> str:
    """Return the SQL that types the raw columns c0, c1 … of a file: cast, then typed, then what did not work out.

    Three steps, so that no cast is computed twice.
    """
    present, extras, cells = reading.present, reading.extras, reading.cells
    raw = {column.name: f"c{place}" for column, place in present.items()}
    numbers = [column.name for column in present if column.type not in TEXT_TYPES]
    casts = [f"{_cast(column, raw[column.name], cells)} as {identifier(column.name)}" for column in present]
    typed = [f"{_typed(column)} as {identifier(column.name)}" for column in present]
    typed += [f"c{place} as {identifier(name)}" for name, place in extras.items()]
    names = [identifier(name) for name in [*raw, *extras]]
    nothing = ", ".join(literal(text) for text in ("", *cells.no_value))
    wrong = {
        name: f"{identifier(name)} is null and {raw[name]} is not null "
        f"and {_cleaned(raw[name], cells)} not in ({nothing})"
        for name in numbers
    }
    lists = {"cast_errors": wrong}
    if cells.marks:
        lists["cell_marks"] = {name: f"contains({raw[name]}, {literal(cells.marks)})" for name in numbers}
    lineage = ", ".join(f"{_named_where(conditions)} as {name}" for name, conditions in lists.items())
    return (
        f"select row_number() over () as source_row, {', '.join(names)}, {lineage} from "
        f"(select {', '.join(typed + [raw[name] for name in numbers])} from "
        f"(select {', '.join(casts)}, c.* from {_relation(str(csv_path), reading.width)} as c))"
    )


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


def _content(connection: duckdb.DuckDBPyConnection, target: str, names: list[str]) -> tuple[int, str]:
    """Return row count and the content hash: the same for the same typed rows in whatever order, bytes or layout.

    Two sums over DuckDB's own row hashes: twenty times as fast as digests of the rows' text. The hash function may
    change with DuckDB, so its version is part of the result: see `is_comparable`.
    """
    ordered = sorted(names)
    row = ", ".join(identifier(name) for name in ordered)
    count, one, other = connection.execute(
        f"""
        select count(*), coalesce(sum(hash({row})::hugeint), 0), coalesce(sum(hash('other', {row})::hugeint), 0)
        from read_parquet({target})
        """
    ).fetchall()[0]
    return count, f"{content_version()}-{count:x}-{one:x}-{other:x}-{_name_hash(ordered)}"


def content_version() -> str:
    """Name the way of hashing contents."""
    return f"duckdb{duckdb.__version__}"


def content_of(parquet: Path) -> str:
    """Return the content hash of a landed table."""
    names = [name for name in read_header_of(parquet) if name not in LINEAGE]
    with duckdb.connect() as connection:
        return _content(connection, literal(parquet), names)[1]


def is_comparable(content: str) -> bool:
    """Tell whether a content hash was made in today's way; one that was not says only how many rows there were."""
    return content.startswith(content_version() + "-")


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
