"""The SQL of number cells: their parts, their shapes for the file's style, and the plain form that a style gives."""

from __future__ import annotations

import re

import duckdb

from expectations.columns import NUMBER_TYPES, Column
from ingest.land.dates import DateCell
from ingest.land.number_shapes import Shape
from ingest.number_style import NumberStyle
from ingest.registry import Cells
from perinatal.sql import literal

SPACES = " \u00a0\u2007\u2009\u202f"
SPACE = f"[{SPACES}\t]"
MINUS = "-\u2212\u2013"
BODY = f"[0-9.,'\u2019{SPACES}]*[0-9][.,]?"
POWER = "(?:[eE][-+]?[0-9]+)?"
# what may stand before and behind the digits of a number: brackets, a sign, a per cent sign
NUMBER = f"^{SPACE}*([(]?){SPACE}*([-+{MINUS[1:]}]?){SPACE}*({BODY})({POWER}){SPACE}*(%?){SPACE}*([)]?){SPACE}*$"
# tags that change only how a text looks; others, such as <del>, change what it says and are never taken off
TAGS = r"(?i:</?(?:a|b|br|div|em|font|i|span|strong|su[bp])(?:[\s/][^>]*)?>)"
# digits that a tag keeps apart: 21<sup>7</sup> is no 217
APART = rf"([0-9][.,]?)(?:{TAGS})+([.,]?[0-9])"
RAISED = r"(?is)<su[bp](?:\s[^>]*)?>.*?</su[bp]\s*>"
PARTS = "['opened', 'sign', 'body', 'power', 'percent', 'closed']"
RANGE = " to "


def cleaned(raw: str, cells: Cells) -> str:
    """Return the SQL of a number's or date's cell without what the source says may stand there beside it."""
    if not cells.marks:
        return word_in(raw, cells)
    text = f"regexp_replace({raw}, {literal(RAISED)}, '', 'g')" if cells.markup else raw
    return f"trim(rtrim({word_in(text, cells)}, {literal(cells.marks)}))"


def has_mark(raw: str, cells: Cells) -> str:
    """Return the SQL of whether a cell has a mark that points to a note: the source's own, or raised text."""
    own = f"contains({raw}, {literal(cells.marks)})"
    return f"({own} or regexp_matches({raw}, {literal(RAISED)}))" if cells.markup else own


def word_in(raw: str, cells: Cells) -> str:
    """Return the SQL of a cell's text, without markup where the source may have some.

    Digits that markup keeps apart stay apart, so that they are no number.
    """
    if not cells.markup:
        return f"trim({raw})"
    apart = rf"regexp_replace({raw}, {literal(APART)}, '\1<>\2', 'g')"
    return f"trim(regexp_replace({apart}, {literal(TAGS)}, '', 'g'))"


def may_be_signed_percent(column: Column) -> bool:
    """Tell whether numbers of a column may have a per cent sign: its unit is a percentage, or differs by row."""
    return column.type == "percent" or "%" in column.unit or column.unit == "unit of the indicator"


def parts_of(clean: str) -> str:
    """Return the SQL of the parts of a cell as a struct; all are empty where it is no number."""
    return f"regexp_extract({clean}, {literal(NUMBER)}, {PARTS})"


def plain_body(body: str) -> str:
    """Return the SQL of a number's digits and marks with one kind of space and apostrophe."""
    others, plain = SPACES[1:] + chr(0x2019), " " * len(SPACES[1:]) + "'"
    return f"translate(trim({body}, {literal(SPACES)}), {literal(others)}, {literal(plain)})"


def plain_number(clean: str, column: Column, style: NumberStyle) -> str:
    """Return the SQL of a cell's number in plain form (digits, a point, a leading minus); NULL where it is none.

    The digits must be grouped as the style says; brackets must be closed and stand for a minus of their own.
    """
    marks = {" ": SPACE, "'": "['\u2019]", "": ""}
    thousands = marks.get(style.thousands_mark, re.escape(style.thousands_mark))
    decimal = re.escape(style.decimal_mark)
    whole = f"(?:[0-9]{{1,3}}(?:{thousands}[0-9]{{3}})+|[0-9]+)" if thousands else "[0-9]+"
    digits = f"(?:{whole}(?:{decimal}[0-9]*)?|{decimal}[0-9]+){POWER}"
    percent = f"(?:{SPACE}*%)?" if may_be_signed_percent(column) else ""
    signed = f"[-+{MINUS[1:]}]?{SPACE}*{digits}{percent}"
    form = f"{SPACE}*(?:{signed}|[(]{SPACE}*{digits}{percent}{SPACE}*[)]){SPACE}*"
    turned, dropped = MINUS[1:] + style.decimal_mark, f"()%+{SPACES}\t{style.thousands_mark}'\u2019"
    plain = f"translate({clean}, {literal(turned + dropped)}, '--.')"
    minus = f"case when starts_with({clean}, '(') then '-' else '' end"
    return f"case when regexp_full_match({clean}, {literal(form)}) then {minus} || {plain} end"


def shapes_of(
    connection: duckdb.DuckDBPyConnection, relation: str, present: dict[Column, int], header: list[str], cells: Cells
) -> list[Shape]:
    """Return the shapes of all cells in the number columns of a file, first cells first.

    `relation` reads the file's cells as text, as c0, c1 … .
    """
    numbers = {column: place for column, place in present.items() if column.type in NUMBER_TYPES}
    if not numbers:
        return []
    texts = ", ".join(f"{{'place': {place}, 'text': c{place}}}" for place in numbers.values())
    found = connection.execute(_shapes_query(relation, texts, cells)).fetchall()
    by_place = {place: column for column, place in numbers.items()}
    return [
        Shape(header[place], by_place[place].type == "integer", by_place[place].type == "percent", *rest)
        for place, *rest in found
    ]


def _shapes_query(relation: str, texts: str, cells: Cells) -> str:
    """Return the SQL of the shapes: place, shape, count, first row and text, and what holds of its cells."""
    digits = f"regexp_replace({plain_body('part.body')}, '[0-9]', '9', 'g')"
    return f"""
        with cells as (
            select row_number() over () as source_row, unnest([{texts}]) as cell from {relation}
        ), numbers as (
            select source_row, cell.place, cell.text,
                unnest(string_split({cleaned("cell.text", cells)}, '{RANGE}')) as number
            from cells where regexp_matches(cell.text, '[0-9]')
        ), parts as (
            select source_row, place, text, {parts_of("number")} as part from numbers
        )
        select
            place,
            if(starts_with({plain_body("part.body")}, '0'), '0' || substr({digits}, 2), {digits}) as shape,
            count(*), min(source_row), arg_min(text, source_row) as first_text,
            bool_or(ends_with(part.body, '0')), bool_and(regexp_matches(part.body, '[.,]0*$')),
            part.percent <> '', part.opened <> ''
        from parts where part.body <> '' group by place, shape, part.percent, part.opened
        order by min(source_row), place, shape
    """


def date_cells(
    connection: duckdb.DuckDBPyConnection, relation: str, present: dict[Column, int], header: list[str], cells: Cells
) -> list[DateCell]:
    """Return the texts in the date columns of a file, each once a column, with the first row that has it."""
    found: list[DateCell] = []
    for column, place in present.items():
        if column.type == "date":
            query = f"""
                select min(row), text from (
                    select row_number() over () as row, {cleaned(f"c{place}", cells)} as text from {relation})
                where text <> '' group by text order by min(row)
            """
            found += [DateCell(header[place], row, text) for row, text in connection.execute(query).fetchall()]
    return found
