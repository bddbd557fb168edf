"""Days as files write them: ISO with or without a time, 31/07/2024, 31-Jul-24, July 31, 2024, spreadsheet serials.

Whether day or month comes first in 03/04/2024 is found once per file, from all its date cells.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal
from zoneinfo import ZoneInfo

from ingest.land.unreadable import Unreadable
from perinatal.printable import printable

Order = Literal["day_first", "month_first"]
ORDERS: Final[tuple[Order, ...]] = ("day_first", "month_first")
TIME: Final = r"(?:[T ]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:[AaPp][Mm])?)?"
YEAR: Final = r"(?P<year>\d{4}|\d{2})"
DAY: Final = r"(?P<day>\d{1,2})"
WORD: Final = r"(?P<month>[A-Za-z]{3,9})"
NUMBER: Final = r"(?P<month>\d{1,2})"
WITH_ONE_ORDER: Final = (
    rf"(?P<year>\d{{4}})(?P<mark>[-/.]){NUMBER}(?P=mark){DAY}{TIME}",
    r"(?P<year>(?:19|20)\d{2})(?P<month>\d{2})(?P<day>\d{2})",
    rf"{DAY}(?:st|nd|rd|th)?[-/. ]*{WORD}\.?[-/., ]*{YEAR}{TIME}",
    rf"{WORD}\.?[-/ ]*{DAY}(?:st|nd|rd|th)?[-/, ]+{YEAR}{TIME}",
)
NUMERIC: Final = {
    "day_first": re.compile(rf"{DAY}(?P<mark>[-/.]){NUMBER}(?P=mark){YEAR}{TIME}"),
    "month_first": re.compile(rf"{NUMBER}(?P<mark>[-/.]){DAY}(?P=mark){YEAR}{TIME}"),
}
FORMS_OF: Final = {order: (*map(re.compile, WITH_ONE_ORDER), form) for order, form in NUMERIC.items()}
ZONED: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})")
SERIAL: Final = re.compile(r"[2-7]\d{4}(?:[.,]\d+)?")
MONTHS: Final = tuple(name.lower() for name in calendar.month_name)
EPOCH: Final = dt.date(1899, 12, 30)  # day 0 of spreadsheets, for days after February 1900
LONDON: Final = ZoneInfo("Europe/London")
SHOWN: Final = 4
REMEDY: Final = "write dates as 2024-07-31"


@dataclass(frozen=True)
class DateCell:
    """A text in a date column, and the row below the header in which it first stands."""

    column: str
    row: int
    text: str

    @property
    def named(self) -> str:
        """Return the cell for people."""
        return f"row {self.row}, {printable(self.column)}: {printable(self.text)!r}"


@dataclass(frozen=True)
class Days:
    """The days that texts of a file stand for; `order` is None where no text needs one. Other texts are no days."""

    order: Order | None = None
    of: dict[str, dt.date] = field(default_factory=dict)


def read_days(cells: Iterable[DateCell]) -> Days:
    """Return the days of all date cells of a file. Raises Unreadable, with cells, where day and month cannot be told.

    A text that is no day in any form is left out.
    """
    cells = list(cells)
    order = _order_of(cells)
    days = {cell.text: day_of(cell.text, order or "day_first") for cell in cells}
    return Days(order, {text: day for text, day in days.items() if day is not None})


def day_of(text: str, order: Order) -> dt.date | None:
    """Return the day that a text stands for, its numbers in this order; None where it is none."""
    text = " ".join(text.split())
    if ZONED.fullmatch(text):
        return _or_none(lambda: dt.datetime.fromisoformat(text).astimezone(LONDON).date())
    if SERIAL.fullmatch(text):
        return EPOCH + dt.timedelta(days=int(text[:5]))
    parts = next((named for form in FORMS_OF[order] if (named := form.fullmatch(text))), None)
    return _date(parts["year"], _month(parts["month"]), parts["day"]) if parts else None


def _date(year: str, month: str, day: str) -> dt.date | None:
    return _or_none(lambda: dt.date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day)))


def _or_none(make: Callable[[], dt.date]) -> dt.date | None:
    try:
        return make()
    except ValueError:
        return None


def _month(word: str) -> str:
    """Return the number of a month by its number or name, whole or shortened; 0 where it is none."""
    if word.isdigit():
        return word
    return str(next((number for number, name in enumerate(MONTHS) if name and name.startswith(word.lower())), 0))


def _order_of(cells: Sequence[DateCell]) -> Order | None:
    """Return the one order under which every numeric date of a file is a day; None where there is none to order."""
    numeric = [cell for cell in cells if NUMERIC["day_first"].fullmatch(" ".join(cell.text.split()))]
    readings = {cell: [day_of(cell.text, order) for order in ORDERS] for cell in numeric}
    told = {cell: days for cell, days in readings.items() if any(days) and days[0] != days[1]}
    left = [order for place, order in enumerate(ORDERS) if all(days[place] for days in told.values())]
    if not told:
        return None
    if len(left) == 1:
        return left[0]
    if left:
        what = "day and month of these dates may be either, and no other date decides"
        raise Unreadable("date_order_unknown", f"{what}: {_named(list(told))}; {REMEDY}")
    first = [next(cell for cell, days in told.items() if days[place] is None) for place in (0, 1)]
    what = "the day comes first in some dates and the month in others"
    raise Unreadable("date_order_contradicted", f"{what}: {_named(first)}; {REMEDY}")


def _named(cells: Sequence[DateCell]) -> str:
    return ", ".join(cell.named for cell in cells[:SHOWN])
