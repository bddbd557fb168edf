"""One Excel workbook: a cover with its contents, then sheets of blocks with heads, number formats and highlights.

Every text is written as a string: nothing in a cell is ever taken for a formula or a link, whatever it starts with.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import xlsxwriter

LONGEST_CELL = 32_767  # Excel's own limit
LINE = 13.5  # points that a line of text takes
LEAD_WIDTH = 150  # characters of a sheet's first lines
COLOURS = {
    "head": "#005EB8",
    "warn": "#FFB81C",
    "worse": "#FBE3DF",
    "better": "#DDEFE3",
    "bar": "#F0A58F",
    "line": "#8FB3DC",
}
LOOKS: dict[str, dict[str, Any]] = {
    "text": {"text_wrap": True},
    "bold": {"bold": True, "text_wrap": True},
    "lead": {},
    "title": {"bold": True, "font_size": 16},
    "subtitle": {"bold": True, "font_size": 12},
    "head": {"bold": True, "font_color": "white", "bg_color": COLOURS["head"], "text_wrap": True},
    "warn": {"bold": True, "bg_color": COLOURS["warn"]},
    "date": {"num_format": "d mmm yyyy", "align": "left"},
    "moment": {"num_format": "d mmm yyyy hh:mm", "align": "left"},
    "link": {"font_color": COLOURS["head"], "underline": 1},
    "worse": {"bg_color": COLOURS["worse"], "font_color": "#7A1B0C", "bold": True},
    "better": {"bg_color": COLOURS["better"], "font_color": "#0B5132", "bold": True},
    "masked": {"font_color": "#5B6770", "italic": True, "align": "right", "text_wrap": True},
}
# words that a column of verdicts, trends or positions may hold, with the look of its cell
HIGHLIGHTS = {
    "worse": ("Worse", "Getting worse", "Above"),
    "better": ("Better", "Getting better", "Below"),
}


class Cell(NamedTuple):
    """A value with a look of its own; a number shows so many decimals, and a word after it."""

    value: Any
    look: str = "text"
    decimals: int | None = None
    word: str = ""


class Spark(NamedTuple):
    """Numbers over time, oldest first (None: nothing is known), drawn as small bars; they stand in hidden columns."""

    points: Sequence[float | None]


@dataclass(frozen=True)
class Column:
    """A column: its head, how wide it is in characters, what it means; `mark` is how it is highlighted, if it is."""

    name: str
    width: int
    meaning: str = ""
    mark: str = ""  # "words" (worse, better) or "bar"


@dataclass(frozen=True)
class Block:
    """A table of a sheet; `heading` stands above it where a sheet has several."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    heading: str = ""


@dataclass(frozen=True)
class Sheet:
    """A sheet: its name, what it shows, its blocks, and what is said in its place where they hold no row."""

    name: str
    lead: str
    blocks: Sequence[Block]
    otherwise: str
    frozen: int = 1  # columns that stay in sight

    @property
    def rows(self) -> int:
        """Return how many rows its blocks hold."""
        return sum(len(block.rows) for block in self.blocks)


@dataclass(frozen=True)
class Workbook:
    """What a workbook shows: the lines of its cover, its sheets, and whether all of it is synthetic."""

    title: str
    cover: Sequence[tuple[str, str]]
    sheets: Sequence[Sheet]
    synthetic: bool


class Book:
    """A workbook under way."""

    def __init__(self, path: Path, title: str, synthetic: bool) -> None:
        self.synthetic = synthetic
        self.title = title
        self.book = xlsxwriter.Workbook(
            str(path),
            {
                "in_memory": True,
                "strings_to_formulas": False,
                "strings_to_numbers": False,
                "strings_to_urls": False,
            },
        )
        # a fixed date: the same edition gives the same bytes
        self.book.set_properties({"title": title, "author": "Perinatal Insights", "created": datetime(2020, 12, 18)})
        self._formats: dict[tuple[str, int | None, str], Any] = {}

    def look(self, name: str, decimals: int | None = None, word: str = "") -> Any:
        """Return a format; numbers have so many decimals, with a word after them."""
        key = (name, decimals, word)
        if key not in self._formats:
            number = "" if decimals is None else "#,##0" + ("." + "0" * decimals if decimals else "")
            shape = {"num_format": number + (f' "{word}"' if word else ""), "align": "right"} if number else {}
            plain = {"valign": "top", "font_name": "Arial", "font_size": 10}
            self._formats[key] = self.book.add_format(plain | LOOKS[name] | shape)
        return self._formats[key]

    def sheet(self, name: str) -> Any:
        """Add a sheet; that of a synthetic edition is marked in its tab and on paper."""
        sheet = self.book.add_worksheet(name)
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        if self.synthetic:
            sheet.set_tab_color(COLOURS["warn"])
            sheet.set_header('&C&"Arial,Bold"SYNTHETIC SAMPLE DATA')
        sheet.set_footer("&L&A&RPage &P of &N")
        return sheet

    def banner(self, sheet: Any, row: int) -> None:
        """Say that a sheet of a synthetic edition is synthetic."""
        if self.synthetic:
            says = "SYNTHETIC SAMPLE DATA: invented values, they say nothing about a real organisation."
            sheet.write_string(row, 0, says, self.look("warn"))

    def write(self, sheet: Any, row: int, column: int, given: Any) -> None:
        """Write a cell by the type of its value."""
        cell = given if isinstance(given, Cell) else Cell(given)
        value = cell.value
        if value is None:
            return
        if isinstance(value, int | float) and not isinstance(value, bool):
            decimals = cell.decimals if cell.decimals is not None else 0 if isinstance(value, int) else 2
            sheet.write_number(row, column, value, self.look(cell.look, decimals, cell.word))
        elif isinstance(value, datetime):
            sheet.write_datetime(row, column, value.replace(tzinfo=None), self.look("moment"))
        elif isinstance(value, date):
            sheet.write_datetime(row, column, value, self.look("date"))
        else:
            sheet.write_string(row, column, str(value)[:LONGEST_CELL], self.look(cell.look))


def write_workbook(path: Path, content: Workbook) -> None:
    """Write the workbook; a sheet without rows is left out, and the cover says what there is instead."""
    book = Book(path, content.title, content.synthetic)
    _cover(book, content.cover, content.sheets)
    for sheet in content.sheets:
        if sheet.rows:
            _sheet(book, sheet)
    book.book.close()


def _cover(book: Book, lines: Sequence[tuple[str, str]], sheets: Sequence[Sheet]) -> None:
    sheet = book.sheet("Cover")
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 100)
    sheet.set_row(0, 24)
    sheet.write_string(0, 0, f"Perinatal Insights: {book.title}", book.look("title"))
    book.banner(sheet, 1)
    for row, (name, text) in enumerate(lines, start=3):
        book.write(sheet, row, 0, Cell(name, "bold"))
        book.write(sheet, row, 1, text)
        _fit_height(sheet, row, [(name, 28), (text, 100)])
    first = len(lines) + 4
    sheet.write_string(first, 0, "Sheets", book.look("subtitle"))
    for row, item in enumerate(sheets, start=first + 1):
        says = item.lead if item.rows else item.otherwise
        if item.rows:
            sheet.write_url(row, 0, f"internal:'{item.name}'!A1", book.look("link"), item.name)
        else:
            book.write(sheet, row, 0, f"{item.name} (no sheet)")
        book.write(sheet, row, 1, says)
        _fit_height(sheet, row, [(says, 100)])


def _sheet(book: Book, item: Sheet) -> None:
    sheet = book.sheet(item.name)
    for column, about in enumerate(item.blocks[0].columns):
        sheet.set_column(column, column, about.width)
    sheet.set_row(0, 24)
    sheet.write_string(0, 0, f"{item.name}: {book.title}", book.look("title"))
    book.banner(sheet, 1)
    lines = textwrap.wrap(item.lead, LEAD_WIDTH)
    for row, line in enumerate(lines, start=2):
        sheet.write_string(row, 0, line, book.look("lead"))
    head = len(lines) + 3
    sheet.freeze_panes(head + 1 if len(item.blocks) == 1 else 0, item.frozen)
    row = head
    for block in item.blocks:
        if block.rows:
            row = _block(book, sheet, item.name, block, row) + 2
    if len(item.blocks) == 1:
        sheet.repeat_rows(head)
        sheet.autofilter(head, 0, row - 2, len(item.blocks[0].columns) - 1)


def _block(book: Book, sheet: Any, name: str, block: Block, row: int) -> int:
    """Write a block from a row on; returns the row after it."""
    if block.heading:
        sheet.write_string(row, 0, block.heading, book.look("subtitle"))
        row += 1
    for column, about in enumerate(block.columns):
        book.write(sheet, row, column, Cell(about.name, "head"))
    _fit_height(sheet, row, [(about.name, about.width - 2) for about in block.columns])
    first = row + 1
    for row, cells in enumerate(block.rows, start=first):
        for column, given in enumerate(cells):
            if isinstance(given, Spark):
                _spark(book, sheet, name, (row, column), given, len(block.columns))
            else:
                book.write(sheet, row, column, given)
        _fit_height(
            sheet, row, [(_text(given), about.width) for given, about in zip(cells, block.columns, strict=True)]
        )
    for column, about in enumerate(block.columns):
        for condition in _conditions(book, about.mark):
            sheet.conditional_format(first, column, row, column, condition)
    return row + 1


def _text(given: Any) -> str:
    """Return the text of a cell that may need several lines."""
    value = given.value if isinstance(given, Cell) else given
    return value if isinstance(value, str) else ""


def _conditions(book: Book, mark: str) -> list[dict[str, Any]]:
    """Return the conditional formats of a column."""
    if mark == "bar":
        return [{"type": "data_bar", "bar_color": COLOURS["bar"], "bar_solid": True, "min_type": "num", "min_value": 0}]
    if mark != "words":
        return []
    return [
        {"type": "text", "criteria": "begins with", "value": word, "format": book.look(look)}
        for look, starts in HIGHLIGHTS.items()
        for word in starts
    ]


def _spark(book: Book, sheet: Any, name: str, place: tuple[int, int], spark: Spark, columns: int) -> None:
    """Draw small bars from zero in a cell; their numbers stand in hidden columns, what is not known is a gap."""
    row, column = place
    known = [point for point in spark.points if point is not None]
    if len(known) < 2:
        return
    first = columns + 1
    for offset, point in enumerate(spark.points):
        if point is not None:
            sheet.write_number(row, first + offset, point, book.look("text", 2))
    last = first + len(spark.points) - 1
    sheet.set_column(first, last, 8, None, {"hidden": True, "level": 1})
    data = xlsxwriter.utility.xl_range(row, first, row, last)
    sheet.add_sparkline(
        row,
        column,
        {
            "range": f"'{name}'!{data}",
            "type": "column",
            "min": 0,
            "show_hidden": True,
            "last_point": True,
            "series_color": COLOURS["line"],
            "last_color": COLOURS["head"],
        },
    )


def _fit_height(sheet: Any, row: int, texts: Sequence[tuple[str, int]]) -> None:
    """Make a row as tall as its wrapped texts are long; not every program does it by itself. Widths as columns'."""
    lines = max(sum(-(-max(len(part), 1) // width) for part in text.split("\n")) for text, width in texts)
    sheet.set_row(row, LINE * lines + 2)
