"""How a CSV is read by its header contract: which column stands where, and the two queries that type its rows.

The quick query lets DuckDB's reader type the numbers; the thorough one types each cell from its text, and names what
could not be typed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import duckdb

from expectations.columns import TEXT_TYPES, Column, header_key
from expectations.no_values import WORDS, is_one_of, words_of
from ingest.land.cell_types import Forms, cast_of, is_blank, is_whole, typed_value
from ingest.land.dates import read_days
from ingest.land.header import absent_trailing, bind, read_header
from ingest.land.number_cells import cleaned, date_cells, has_mark, shapes_of, word_in
from ingest.land.number_shapes import style_of
from ingest.registry import Cells, Source
from perinatal.sql import identifier, literal, names_where

# bytes of one line; also bounds the reader's buffers (16 lines long if nothing is said), and so the memory for a file
MAX_LINE = 4 << 20
# the same for the quick way, which leaves longer lines to the thorough one
QUICK_LINE = 1 << 20
# the types that DuckDB's own CSV reader types as we do, where nothing stands beside the numbers
PLAIN_TYPES = (*TEXT_TYPES, "integer", "number")
SET_ASIDE = "store_rejects = true, rejects_limit = 0, "


@dataclass(frozen=True)
class Reading:
    """How a CSV is read by its contract, which its header and first rows decide.

    `present` and `extras` (columns that the contract does not know) say where columns stand, `width` how many fields
    there are; `header` is as published.
    """

    header: list[str]
    present: dict[Column, int]
    extras: dict[str, int]
    width: int
    cells: Cells
    new: list[str]
    absent: list[str]


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
    return Reading(header, present, extras, width, source.cells, new, [name for name in header[width:] if name])


def _extra_names(headers: list[str]) -> list[str]:
    """Return the names that unknown columns get: `x_` and the plain header; those without one are numbered."""
    plain = [header_key(header).replace(".", "_") for header in headers]
    return [f"x_{name or f'unnamed_{number}'}" for number, name in enumerate(plain, start=1)]


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


def is_odd(column: Column) -> str:
    """Return the SQL of whether a cell that was read in its type already is to be read in another way all the same."""
    name = identifier(column.name)
    if column.type == "number_or_word":
        return f"{is_blank(name)} or (regexp_matches({name}, '[0-9]') and try_cast({name} as double) is null)"
    if column.type == "interval_text":
        return f"{is_blank(name)} or contains({name}, ',')"
    return is_blank(name) if column.type in TEXT_TYPES else f"not isfinite({name}::double)"


def has_point_before_decimals(column: Column) -> str | None:
    """Return the SQL of whether a number that was read already shows what its point means; None for other columns.

    A point with other than three digits behind it stands before decimals, as it does in 0.125 and in 1234.125.
    """
    name = identifier(column.name)
    if column.type in ("number_or_word", "interval_text"):
        return rf"regexp_matches({name}, '^0\.|[0-9]{{4}}\.|\.([0-9]{{1,2}}|[0-9]{{4,}})\b')"
    if column.type != "number":
        return None
    thousandths = f"abs({name} * 1000 - round({name} * 1000)) > 1e-9 * abs({name} * 1000)"
    return f"{name} <> floor({name}) and (abs({name}) < 1 or abs({name}) >= 1000 or {thousandths})"


def has_fraction(column: Column) -> str | None:
    """Return the SQL of whether a number that was read already has a point; None for columns without one."""
    name = identifier(column.name)
    if column.type in ("number_or_word", "interval_text"):
        return rf"regexp_matches({name}, '[0-9]\.[0-9]')"
    return f"{name} <> floor({name})" if column.type == "number" else None


def quick_query(reading: Reading, location: str) -> str | None:
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
    typed.append(f"null::varchar as {WORDS}")
    relation = _relation(location, reading.width, numbers, more="", longest=QUICK_LINE)
    return f"select row_number() over () as source_row, {', '.join(typed)} from {relation}"


def _plainly(column: Column, raw: str) -> str:
    """Return the SQL of a column whose cell is read in its type already; ends with an error where it is not whole."""
    if column.type != "integer":
        return raw
    return f"case when {raw} is not null then if({is_whole(raw)}, {raw}::bigint, error('not plain')) end"


def forms_in(connection: duckdb.DuckDBPyConnection, reading: Reading, csv_path: Path, separator: str) -> Forms:
    """Return how a file writes numbers and days, from all its cells. Raises Unreadable where they disagree."""
    asked = (connection, _relation(str(csv_path), reading.width), reading.present, reading.header, reading.cells)
    return Forms(style_of(shapes_of(*asked), separator), read_days(date_cells(*asked)))


def thorough_query(reading: Reading, csv_path: Path, forms: Forms) -> str:
    """Return the SQL that types the raw columns c0, c1 … of a file: cast, then typed, then what did not work out.

    Three steps, so that no cast is computed twice.
    """
    present, extras, cells = reading.present, reading.extras, reading.cells
    raw = {column.name: f"c{place}" for column, place in present.items()}
    numbers = [column.name for column in present if column.type not in TEXT_TYPES]
    casts = [f"{cast_of(column, raw[column.name], cells, forms)} as {identifier(column.name)}" for column in present]
    typed = [f"{typed_value(column)} as {identifier(column.name)}" for column in present]
    typed += [f"c{place} as {identifier(name)}" for name, place in extras.items()]
    names = [identifier(name) for name in [*raw, *extras]]
    words = {column.name: _word_of(column, raw[column.name], cells) for column in present if column.name in numbers}
    wrong = {
        name: f"{identifier(name)} is null and {raw[name]} is not null and {cleaned(raw[name], cells)} <> '' "
        f"and {words[name]} is null"
        for name in numbers
    }
    lists = {"cast_errors": wrong}
    if cells.marks:
        lists["cell_marks"] = {name: has_mark(raw[name], cells) for name in numbers}
    lineage = ", ".join(f"{names_where(conditions)} as {name}" for name, conditions in lists.items())
    said = ", ".join(
        f"{literal(f'{name}=')} || case when {identifier(name)} is null then {word} end" for name, word in words.items()
    )
    kept = f"nullif(concat_ws('; ', {said}), '')" if said else "null::varchar"
    lineage += f", {kept} as {WORDS}"
    return (
        f"select row_number() over () as source_row, {', '.join(names)}, {lineage} from "
        f"(select {', '.join(typed + [raw[name] for name in numbers])} from "
        f"(select {', '.join(casts)}, c.* from {_relation(str(csv_path), reading.width)} as c))"
    )


def _word_of(column: Column, raw: str, cells: Cells) -> str:
    """Return the SQL of the word that stands for no value in a cell of a number; NULL where there is none."""
    text = word_in(raw, cells)
    return f"case when {is_one_of(text, words_of(column))} then {text} end"
