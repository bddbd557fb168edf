"""The SQL that types cells: numbers by the file's number style, dates by what its texts are known to mean."""

from __future__ import annotations

from dataclasses import dataclass, field

from expectations.columns import TEXT_TYPES, Column
from ingest.land.dates import Days
from ingest.land.number_cells import RANGE, cleaned, plain_number
from ingest.number_style import NumberStyle
from ingest.registry import Cells
from perinatal.sql import identifier, literal, literals

LARGEST_WHOLE = 2**53  # what a double holds exactly


@dataclass(frozen=True)
class Forms:
    """How a file writes its numbers, and the days that the texts of its date cells stand for."""

    numbers: NumberStyle
    days: Days = field(default_factory=Days)


def cast_of(column: Column, raw: str, cells: Cells, forms: Forms) -> str:
    """Return the SQL that casts one raw text column.

    Where a point is the decimal mark, cells are cast as they stand first: in large files nearly all can be, and taking
    them apart costs more than reading. The cases keep DuckDB from doing that for every cell all the same.
    """
    style = forms.numbers
    if column.type == "number_or_word":
        return _number_or_word(column, raw, cells, style)
    if column.type == "interval_text":
        return _interval(column, raw, cells, style)
    if column.type in TEXT_TYPES:
        return _filled_text(raw)
    clean = cleaned(raw, cells)
    if column.type == "date":
        return _day(clean, forms.days)
    plain = f"try_cast({plain_number(clean, column, style)} as double)"
    if style.decimal_mark != ".":
        return plain
    cast = f"try_cast({raw} as double)"
    return f"case when {cast} is not null then {cast} when {raw} is not null then {plain} end"


def _day(clean: str, days: Days) -> str:
    """Return the SQL of the day that a text of the file stands for."""
    if not days.of:
        return "null::date"
    return f"map([{literals(days.of)}], [{literals(map(str, days.of.values()))}]::date[])[{clean}]"


def _number_or_word(column: Column, raw: str, cells: Cells, style: NumberStyle) -> str:
    """Return the SQL of a cell that holds a number or a word: the number in plain form, a word as it stands."""
    plain = f"coalesce({plain_number(cleaned(raw, cells), column, style)}, {_filled_text(raw)})"
    return (
        f"case when try_cast({raw} as double) is not null then {raw} else {plain} end" if _has_points(style) else plain
    )


def _interval(column: Column, raw: str, cells: Cells, style: NumberStyle) -> str:
    """Return the SQL of an interval ("1.82 to 3.55"): both ends in plain form."""
    if _has_points(style) and not style.thousands_mark:
        return _filled_text(raw)
    ends = [
        plain_number(cleaned(f"split_part({raw}, {literal(RANGE)}, {place})", cells), column, style) for place in (1, 2)
    ]
    return f"coalesce({ends[0]} || {literal(RANGE)} || {ends[1]}, {_filled_text(raw)})"


def _has_points(style: NumberStyle) -> bool:
    return style.decimal_mark == "."


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
