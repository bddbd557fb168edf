"""One Excel workbook: cover, contents, a sheet a table with frozen header and number formats, notes, dictionary.

Every text is written as a string: nothing in a cell is ever taken for a formula or a link, whatever it starts with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

LONGEST_CELL = 32_767  # Excel's own limit
LONGEST_NAME = 31
LINE = 13.5  # points that a line of text takes
WIDTHS = {"BOOLEAN": 10, "DATE": 12, "DOUBLE": 12, "INTEGER": 10, "BIGINT": 12}
# columns whose numbers are counts; other numbers are shown with two decimals
COUNTS = ("numerator", "denominator", "count", "rows", "trusts_expected", "trusts_reporting", "year")
COLOURS = {"head": "#005EB8", "warn": "#FFB81C", "line": "#D8DDE0"}


@dataclass(frozen=True)
class Sheet:
    """A table: its name, what it is, (column, DuckDB type), what each column means, rows."""

    name: str
    description: str
    columns: Sequence[tuple[str, str]]
    meanings: Sequence[str]
    rows: Sequence[Sequence[Any]]


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
                "default_date_format": "yyyy-mm-dd",
            },
        )
        # a fixed date: the same edition gives the same bytes
        self.book.set_properties({"title": title, "author": "Perinatal Insights", "created": datetime(2020, 12, 18)})
        plain: dict[str, Any] = {"valign": "top", "font_name": "Arial", "font_size": 10}
        looks: dict[str, dict[str, Any]] = {
            "text": {},
            "wrap": {"text_wrap": True},
            "bold": {"bold": True},
            "title": {"bold": True, "font_size": 16},
            "head": {"bold": True, "font_color": "white", "bg_color": COLOURS["head"], "text_wrap": True},
            "warn": {"bold": True, "bg_color": COLOURS["warn"], "text_wrap": True},
            "count": {"num_format": "#,##0"},
            "year": {"num_format": "0"},
            "number": {"num_format": "#,##0.00"},
            "date": {"num_format": "yyyy-mm-dd"},
            "moment": {"num_format": "yyyy-mm-dd hh:mm"},
            "link": {"font_color": COLOURS["head"], "underline": 1},
        }
        self.formats = {name: self.book.add_format({**plain, **more}) for name, more in looks.items()}

    def sheet(self, name: str) -> Any:
        """Add a sheet; that of a synthetic edition is marked in its tab and on paper."""
        sheet = self.book.add_worksheet(name[:LONGEST_NAME])
        sheet.hide_gridlines(0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        if self.synthetic:
            sheet.set_tab_color(COLOURS["warn"])
            sheet.set_header('&C&"Arial,Bold"SYNTHETIC SAMPLE DATA')
        sheet.set_footer("&L&A&RPage &P of &N")
        return sheet

    def fit_height(self, sheet: Any, row: int, texts: Sequence[tuple[str, int]]) -> None:
        """Make a row as tall as its wrapped texts are long; not every program does it by itself. Widths as columns'."""
        lines = max(sum(-(-max(len(part), 1) // width) for part in text.split("\n")) for text, width in texts)
        sheet.set_row(row, LINE * lines + 2)

    def write(self, sheet: Any, row: int, column: int, value: Any, look: str = "text") -> None:
        """Write a cell by the type of its value."""
        form = self.formats[look]
        if value is None:
            return
        if isinstance(value, bool):
            sheet.write_boolean(row, column, value, form)
        elif isinstance(value, int | float):
            sheet.write_number(row, column, value, form)
        elif isinstance(value, datetime):
            sheet.write_datetime(row, column, value.replace(tzinfo=None), self.formats["moment"])
        elif isinstance(value, date):
            sheet.write_datetime(row, column, value, self.formats["date"])
        else:
            sheet.write_string(row, column, str(value)[:LONGEST_CELL], form)


def write_workbook(
    path: Path, title: str, cover: Sequence[tuple[str, str]], sheets: Sequence[Sheet], synthetic: bool
) -> None:
    """Write the workbook."""
    book = Book(path, title, synthetic)
    _cover(book, cover)
    _contents(book, sheets)
    for sheet in sheets:
        _table(book, sheet)
    _dictionary(book, sheets)
    book.book.close()


def _cover(book: Book, lines: Sequence[tuple[str, str]]) -> None:
    sheet = book.sheet("cover")
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 95)
    sheet.set_row(0, 24)
    book.write(sheet, 0, 0, f"Perinatal Insights: {book.title}", "title")
    if book.synthetic:
        book.write(sheet, 1, 0, "SYNTHETIC SAMPLE DATA", "warn")
        book.write(sheet, 1, 1, "Invented values: they say nothing about a real organisation.", "warn")
    for row, (name, text) in enumerate(lines, start=3):
        book.write(sheet, row, 0, name, "bold")
        book.write(sheet, row, 1, text, "wrap")
        book.fit_height(sheet, row, [(name, 28), (text, 95)])


def _contents(book: Book, sheets: Sequence[Sheet]) -> None:
    sheet = book.sheet("contents")
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 10)
    sheet.set_column(2, 2, 110)
    sheet.freeze_panes(1, 0)
    for column, words in enumerate(("Sheet", "Rows", "What it holds")):
        book.write(sheet, 0, column, words, "head")
    everything = [*sheets, Sheet("dictionary", "What each column of each sheet means.", (), (), ())]
    for row, item in enumerate(everything, start=1):
        name = item.name[:LONGEST_NAME]
        sheet.write_url(row, 0, f"internal:'{name}'!A1", book.formats["link"], name)
        if item.columns:
            book.write(sheet, row, 1, len(item.rows), "count")
        book.write(sheet, row, 2, item.description, "wrap")
        book.fit_height(sheet, row, [(item.description, 110)])


def _table(book: Book, item: Sheet) -> None:
    sheet = book.sheet(item.name)
    looks = [_look(name, kind) for name, kind in item.columns]
    widths = [_width(name, kind) for name, kind in item.columns]
    for column, (name, _) in enumerate(item.columns):
        sheet.set_column(column, column, widths[column])
        book.write(sheet, 0, column, name, "head")
    book.fit_height(sheet, 0, [(name, width - 2) for (name, _), width in zip(item.columns, widths, strict=True)])
    sheet.freeze_panes(1, 1)
    sheet.repeat_rows(0)
    for row, cells in enumerate(item.rows, start=1):
        for column, value in enumerate(cells):
            book.write(sheet, row, column, value, looks[column])
    if item.rows:
        sheet.autofilter(0, 0, len(item.rows), len(item.columns) - 1)


def _width(name: str, kind: str) -> int:
    """Return the width of a column, in characters."""
    if name == "Indicator":
        return 50
    return WIDTHS.get(kind, 26 if name.endswith(("name", "warnings")) else 16)


def _look(name: str, kind: str) -> str:
    if kind in ("DOUBLE", "FLOAT"):
        return "count" if name.endswith(COUNTS) else "number"
    if kind in ("INTEGER", "BIGINT"):
        return "year" if name == "year" else "count"
    return "text"


def _dictionary(book: Book, sheets: Sequence[Sheet]) -> None:
    sheet = book.sheet("dictionary")
    for column, (words, width) in enumerate((("Sheet", 22), ("Column", 26), ("Type", 12), ("Meaning", 100))):
        sheet.set_column(column, column, width)
        book.write(sheet, 0, column, words, "head")
    sheet.freeze_panes(1, 0)
    rows = (
        (item.name, name, kind, meaning)
        for item in sheets
        for (name, kind), meaning in zip(item.columns, item.meanings, strict=True)
    )
    for row, cells in enumerate(rows, start=1):
        for column, value in enumerate(cells):
            book.write(sheet, row, column, value, "wrap" if column == 3 else "text")
        book.fit_height(sheet, row, [(cells[3], 100)])
