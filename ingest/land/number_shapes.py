"""Which number style a file has, from the shapes of the cells in its number columns.

A shape is a number with every digit as 9, but for a leading 0: "1,234.5" is "9,999.9", "0,5" is "0,9". Each shape fits
some pairs of decimal and thousands mark; the file's pair fits all shapes that any pair fits. What fits none is a wrong
cell, which the gate names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from ingest.land.unreadable import Unreadable
from ingest.number_style import NumberStyle
from perinatal.printable import printable

# decimal mark, thousands mark
Marks = tuple[str, str]
PLAIN: Marks = (".", "")
MARKS: tuple[Marks, ...] = (PLAIN, (".", ","), (".", " "), (".", "'"), (",", ""), (",", "."), (",", " "), (",", "'"))
SHOWN = 4
REMEDY = "save the file with one decimal mark and no thousands mark, or ask for the publisher's own file"


@dataclass(frozen=True)
class Shape:
    """Cells of one column that are written alike: how many, and the first of them (`row`, `text`).

    `ends_in_0` tells whether one of them does, `is_whole` whether nothing but 0 follows the last mark in all.
    """

    column: str
    is_integer: bool
    is_percentage: bool
    shape: str
    count: int
    row: int
    text: str
    ends_in_0: bool
    is_whole: bool
    has_percent_sign: bool
    is_bracketed: bool

    @property
    def named(self) -> str:
        """Return the first cell for people: its row below the header, column and text."""
        return f"row {self.row}, {printable(self.column)}: {printable(self.text)!r}"


@cache
def groups_by(shape: str, marks: Marks) -> bool | None:
    """Tell whether a shape's digits are grouped under a pair of marks; None where it does not fit the pair."""
    decimal, thousands = (re.escape(mark) for mark in marks)
    if thousands and re.fullmatch(rf"9{{1,3}}(?:{thousands}999)+(?:{decimal}9*)?", shape):
        return True
    return False if re.fullmatch(rf"[09]9*(?:{decimal}9*)?|{decimal}9+", shape) else None


def _fits(cell: Shape) -> frozenset[Marks]:
    """Return the pairs that a shape fits; of a whole number those under which it is one, where there are any."""
    fits = {marks: groups_by(cell.shape, marks) for marks in MARKS}
    found = {marks for marks, is_grouped in fits.items() if is_grouped is not None}
    if cell.is_integer:
        found = {marks for marks in found if fits[marks] or cell.is_whole or cell.shape.isdigit()} or found
    return frozenset(found)


def style_of(shapes: Sequence[Shape], separator: str) -> NumberStyle:
    """Return the one style of a file's numbers. Raises Unreadable, with cells, where they disagree or do not decide."""
    fitting = [(cell, fits) for cell in shapes if (fits := _fits(cell))]
    left = set(MARKS).intersection(*(fits for _, fits in fitting))
    if not left:
        raise _contradiction(fitting)
    _require_one_scale(shapes)
    decimal, thousands = _decided(left, [cell for cell, _ in fitting], separator)
    numbers = [cell for cell, _ in fitting]
    return NumberStyle(
        separator,
        decimal,
        thousands if any(groups_by(cell.shape, (decimal, thousands)) for cell in numbers) else "",
        any(cell.has_percent_sign for cell in numbers),
        any(cell.is_bracketed for cell in numbers),
    )


def _decided(left: set[Marks], cells: list[Shape], separator: str) -> Marks:
    """Return the pair of marks that is meant, of those that fit all cells.

    Pairs that read every cell alike are one reading. A mark that three digits follow wherever it stands (1,234) may be
    either: then the other numbers of its column decide; a point is a decimal mark where cells are separated as in
    English files, or come from a workbook, which hands numbers over in this form.
    """
    readings = {tuple(_reading(cell.shape, marks) for cell in cells): marks for marks in sorted(left, key=MARKS.index)}
    if len(readings) == 1:
        return next(marks for marks in MARKS if marks in left)
    grouped = {marks for marks in left if _must_be_grouped(cells, marks)}
    if len({marks[1] for marks in grouped}) == 1:
        return next(marks for marks in MARKS if marks in grouped)
    if PLAIN in left and separator != ";":
        return PLAIN
    doubtful = [cell for cell in cells if len({_reading(cell.shape, marks) for marks in left}) > 1]
    what = "the mark in these numbers may stand before decimals or between thousands, and no other number decides"
    raise Unreadable("number_style_unknown", f"{what}: {_named(doubtful)}; {REMEDY}")


def _reading(shape: str, marks: Marks) -> str:
    """Return a shape as a pair of marks reads it: without thousands marks, with a point before decimals."""
    return shape.replace(marks[1], "").replace(marks[0], ".") if marks[1] else shape.replace(marks[0], ".")


def _must_be_grouped(cells: list[Shape], marks: Marks) -> bool:
    """Tell whether a column shows that a mark stands between thousands.

    Three decimals with a last 0 are written where every number has three; beside whole numbers without a mark they are
    thousands.
    """
    columns = {cell.column for cell in cells if cell.ends_in_0 and groups_by(cell.shape, marks)}
    return any(cell.column in columns and re.fullmatch("9+", cell.shape) for cell in cells)


def _require_one_scale(shapes: Iterable[Shape]) -> None:
    """Refuse a column of percentages in which some cells have the sign and others are fractions of one."""
    signed = {cell.column for cell in shapes if cell.is_percentage and cell.has_percent_sign}
    fractions = [
        cell
        for cell in shapes
        if cell.column in signed and not cell.has_percent_sign and re.fullmatch(r"0?[.,]9+", cell.shape)
    ]
    if fractions:
        what = "some numbers have a per cent sign and others are fractions of one"
        beside = [cell for cell in shapes if cell.column == fractions[0].column and cell.has_percent_sign]
        raise Unreadable("number_style_contradicted", f"{what}: {_named([*fractions[:2], *beside[:1]])}; {REMEDY}")


def _contradiction(fitting: list[tuple[Shape, frozenset[Marks]]]) -> Unreadable:
    """Return the error that names cells of the rarer style first, then one of the commoner."""
    commonest = max(MARKS, key=lambda marks: sum(cell.count for cell, fits in fitting if marks in fits))
    others = [cell for cell, fits in fitting if commonest not in fits]
    needed = frozenset().union(*(fits for cell, fits in fitting if commonest not in fits))
    beside = [cell for cell, fits in fitting if commonest in fits and not needed <= fits][:1]
    what = "numbers are written in more than one style"
    return Unreadable("number_style_contradicted", f"{what}: {_named([*others[: SHOWN - 1], *beside])}; {REMEDY}")


def _named(cells: Sequence[Shape]) -> str:
    return ", ".join(cell.named for cell in cells[:SHOWN])


def without_marks(text: str) -> str:
    """Return a whole number's digits alone, for recognition: "2,023", "2.023" and "2023.0" are 2023."""
    return re.sub(r"[.,' \u00a0\u2009\u202f\u2019](?=\d{3}(?!\d))", "", re.sub(r"[.,]0{1,2}$", "", text.strip()))
