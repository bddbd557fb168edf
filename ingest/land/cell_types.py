"""The SQL that types cells: cast as they stand first, then without what the source says may stand beside a number."""

from __future__ import annotations

from expectations.columns import TEXT_TYPES, Column
from ingest.registry import Cells
from perinatal.sql import identifier, literal

DATE_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%Y-%m-%d %H:%M:%S")

NO_THOUSANDS = r",([0-9]{0,2}|[0-9]{4,})([^0-9]|$)"
LARGEST_WHOLE = 2**53  # what a double holds exactly


def cleaned(raw: str, cells: Cells) -> str:
    """Return the SQL of a number's or date's cell without what the source says may stand there beside it."""
    text = raw
    if cells.markup:
        text = f"regexp_replace({text}, '</?[A-Za-z][^>]*>', '', 'g')"
    if cells.marks:
        text = f"rtrim(trim({text}), {literal(cells.marks)})"
    return f"trim({text})"


def cast_of(column: Column, raw: str, cells: Cells) -> str:
    """Return the SQL that casts one raw text column.

    Cells are cast as they stand first: in large files nearly all can be, and cleaning costs more than reading. The
    cases keep DuckDB from cleaning every cell all the same, to have it as a common part of two expressions.
    """
    if column.type in TEXT_TYPES:
        return _filled_text(raw)
    clean = cleaned(raw, cells)
    # a comma that three digits do not follow separates no thousands: 2,65 is not 265
    plain = f"if(regexp_matches({clean}, '{NO_THOUSANDS}'), null, replace({clean}, ',', ''))"
    if column.type in ("integer", "number"):
        cast = f"try_cast({raw} as double)"
        return f"case when {cast} is not null then {cast} when {raw} is not null then try_cast({plain} as double) end"
    if column.type == "percent":
        return f"try_cast(replace({plain}, '%', '') as double)"
    attempts = ", ".join(f"try_strptime({clean}, '{form}')" for form in DATE_FORMATS)
    return f"cast(coalesce({attempts}) as date)"


def typed_value(column: Column) -> str:
    """Return the SQL of a column's value from its cast."""
    cast = identifier(column.name)
    if column.type == "integer":
        return f"case when {is_whole(cast)} then {cast}::bigint end"
    return f"case when isfinite({cast}) then {cast} end" if column.type in ("number", "percent") else cast


def is_whole(number: str) -> str:
    """Return whether a double is an integer: "5.0" is one that a spreadsheet has saved, 5.5 is not.

    What a double cannot hold exactly is none either.
    """
    return f"{number} = floor({number}) and abs({number}) <= {LARGEST_WHOLE}"


def _filled_text(raw: str) -> str:
    """Return the SQL of a text cell: NULL where it is blank."""
    return f"case when not {is_blank(raw)} then {raw} end"


def is_blank(text: str) -> str:
    """Return the SQL of whether a text is nothing but spaces. Most begin with a letter: no trimming."""
    return f"({text} < '!' and trim({text}) = '')"
