"""When the points of an SPC series were: dates, months or numbers, and where a series has a gap."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warehouse.statistics.csv_table import CsvTable

MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
REMEDY = "write dates as 2024-01-31, 31/01/2024, 31-Jan-24 or Jan-24, months as 2024-01, or plain numbers"
NAME = r"(?P<name>[A-Za-z]{3,9})\.?"
NUMBER = r"[+-]?[0-9]+(?:\.[0-9]+)?"
# (what a person calls it, pattern); the first that matches decides
FORMATS = [
    ("a date", r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})(?:[T ](?P<time>[0-9:.]+))?"),
    ("a month", r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})"),
    ("a month as one number", r"(?P<year>(?:19|20)[0-9]{2})(?P<month>[0-9]{2})"),
    ("a date with the day first", r"(?P<day>[0-9]{1,2})[/.](?P<month>[0-9]{1,2})[/.](?P<year>[0-9]{4}|[0-9]{2})"),
    ("a date with the month's name", rf"(?P<day>[0-9]{{1,2}})[- ]{NAME}[- ](?P<year>[0-9]{{4}}|[0-9]{{2}})"),
    ("a month by name", rf"{NAME}[- ](?P<year>[0-9]{{4}}|[0-9]{{2}})"),
    ("a number", NUMBER),
]


@dataclass(frozen=True)
class Point:
    """One point of a series: the line it is on, its series, and when: a moment or a number."""

    line: int
    series: tuple[str, ...]
    text: str
    at: datetime | float

    @property
    def month(self) -> int:
        """Return the month counted from year 0; 0 for numbers."""
        return self.at.year * 12 + self.at.month if isinstance(self.at, datetime) else 0

    @property
    def position(self) -> float:
        """Return the days since year 1, or the number."""
        return (self.at - datetime.min) / timedelta(days=1) if isinstance(self.at, datetime) else self.at


def points(table: CsvTable, column: str, series: Sequence[str]) -> list[Point]:
    """Return the points of the file, each series in order of time.

    Raises for a cell that is neither date nor number, for two kinds in one file, and for a time that stands twice in
    a series; the message names both lines.
    """
    cells = table.values(column)
    kinds = [_kind(table, line, text) for line, text in cells]
    _require_one_kind(table, cells, kinds)
    named = [[text for _, text in table.values(name)] for name in series if table.has(name)]
    keys = list(zip(*named, strict=True)) if named else [()] * len(cells)
    found = [
        Point(line, key, text, _when(table, line, text, pattern))
        for (line, text), key, (_, pattern) in zip(cells, keys, kinds, strict=True)
    ]
    return _ordered(table, found)


def _kind(table: CsvTable, line: int, text: str) -> tuple[str, str]:
    """Return what a person calls a cell of this form, and the form's pattern."""
    found = next(((kind, pattern) for kind, pattern in FORMATS if re.fullmatch(pattern, text)), None)
    if found is None:
        raise table.error(line, f"x '{text}' is neither a date nor a number; {REMEDY}")
    return found


def _require_one_kind(table: CsvTable, cells: list[tuple[int, str]], kinds: list[tuple[str, str]]) -> None:
    (first_line, first), (expected, _) = cells[0], kinds[0]
    for (line, text), (kind, _) in zip(cells, kinds, strict=True):
        if kind != expected:
            raise table.error(
                line, f"x '{text}' is {kind} but '{first}' on line {first_line} is {expected}; write all rows alike"
            )


def _when(table: CsvTable, line: int, text: str, pattern: str) -> datetime | float:
    match = re.fullmatch(pattern, text)
    if match is None or pattern == NUMBER:
        return float(text)
    moment = _moment(match.groupdict())
    if moment is None:
        raise table.error(line, f"x '{text}' is not in the calendar; {REMEDY}")
    return moment


def _moment(parts: dict[str, str | None]) -> datetime | None:
    """Return the moment that the parts name, None where there is none such."""
    year, name = int(parts["year"] or 0), (parts.get("name") or "").lower()
    if year < 100:
        year += 2000 if year < 70 else 1900
    month = next((number for number, known in enumerate(MONTHS, 1) if known.startswith(name)), 0) if name else 0
    try:
        day = date(year, month or int(parts.get("month") or 0), int(parts.get("day") or 1))
        return datetime.combine(day, time.fromisoformat(parts.get("time") or "00:00"))
    except ValueError:
        return None


def _ordered(table: CsvTable, found: list[Point]) -> list[Point]:
    ordered = sorted(found, key=lambda point: (point.series, point.position, point.line))
    repeated = (b for a, b in pairwise(ordered) if (a.series, a.at) == (b.series, b.at))
    for point in sorted(repeated, key=lambda point: point.line)[:1]:
        first = next(one for one in ordered if (one.series, one.at) == (point.series, point.at))
        raise table.error(point.line, f"x '{point.text}' stands twice in its series (first on line {first.line})")
    return ordered


def lines_after_gaps(table: CsvTable, ordered: list[Point]) -> list[int]:
    """Return the lines of points that do not follow the point before them in their series.

    The step that at least half of a series takes is its rhythm, counted in calendar months unless the dates are weeks
    apart; a longer step is a gap. A series without a rhythm has no gaps. Raises for two points in one month of a
    monthly series.
    """
    by_series: dict[tuple[str, ...], list[Point]] = {}
    for point in ordered:
        by_series.setdefault(point.series, []).append(point)
    return [line for own in by_series.values() if len(own) > 1 for line in _after_gaps(table, own)]


def _after_gaps(table: CsvTable, own: list[Point]) -> list[int]:
    pairs = list(pairwise(own))
    steps = [round(later.position - earlier.position, 9) for earlier, later in pairs]
    months = [later.month - earlier.month for earlier, later in pairs]
    if 0 < _rhythm(months) < inf and _rhythm(steps) % 7 != 0:
        steps = [float(months_between) for months_between in months]
        for earlier, later in pairs:
            if earlier.month == later.month:
                raise table.error(
                    max(earlier.line, later.line),
                    f"'{earlier.text}' (line {earlier.line}) and '{later.text}' (line {later.line}) are in one month of"
                    " a monthly series",
                )
    rhythm = _rhythm(steps)
    return [later.line for (_, later), step in zip(pairs, steps, strict=True) if step > rhythm]


def _rhythm(steps: Sequence[float]) -> float:
    """Return the step that at least half of the steps are (the smaller of two), infinity where there is none."""
    counted = Counter(steps)
    return min((step for step, count in counted.items() if 2 * count >= len(steps)), default=inf)
