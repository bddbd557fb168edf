"""Small pictures for a row of a table or a key: an interval, a line over time, the sample of a mark."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from perinatal.charts.comparisons import LOOK_OF_COMPARISON
from perinatal.charts.plot import Interval, Point, coordinate, marks_path, unbroken


def key(look: str, shape: str | None, line: bool = False) -> Markup:
    """Return the sample of a line or mark for the key beside a picture."""
    drawn = f'<path class="{look}" d="M1 8H25"/>' if line else ""
    drawn += marks_path([(13, 8)], look, shape) if shape else ""
    return small_picture("key", 26, 16, drawn)


def whisker(point: Point, comparator: float | None, span: Interval) -> Markup:
    """Draw a small interval for a table row, its comparator as a tick; the numbers stand beside it in the table."""
    width, height = 120, 18
    low, high = span

    def scale(value: float) -> str:
        return coordinate(4 + (min(max(value, low), high) - low) / ((high - low) or 1) * 112)

    parts = [] if comparator is None else [f'<path class="l-tick" d="M{scale(comparator)} 1V17"/>']
    for look, ends in (("whisk", point.interval), ("bounds", point.bounds)):
        if ends:
            parts.append(f'<path class="{look}" d="M{scale(ends[0])} 9H{scale(ends[1])}"/>')
    if point.value is not None:
        look, shape = LOOK_OF_COMPARISON.get(point.kind, ("common", "dot"))
        parts.append(marks_path([(float(scale(point.value)), 9)], look, shape))
    return small_picture("whisker", width, height, "".join(parts))


def spark(values: Sequence[float | None]) -> Markup:
    """Draw a small line over time for a table row; the trend stands beside it in words."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return Markup()
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    positions = [
        (index, None if value is None else 15 - (value - low) / span * 12) for index, value in enumerate(values)
    ]
    step = 66 / (len(values) - 1)
    drawn = "".join(
        "M" + " ".join(f"{coordinate(4 + x * step)},{coordinate(y)}" for x, y in run) + ("h0" if len(run) == 1 else "")
        for run in unbroken(positions)
    )
    x, y = next((x, y) for x, y in reversed(positions) if y is not None)
    end = marks_path([(4 + x * step, y)], "l-own", "dot")
    return small_picture("spark", 76, 18, f'<path class="l-own" d="{drawn}"/>{end}')


def small_picture(look: str, width: int, height: int, drawn: str) -> Markup:
    """Return a picture that says nothing which the text beside it does not: hidden from screen readers."""
    return Markup(  # noqa: S704 - numbers only
        f'<svg class="{look}" viewBox="0 0 {width} {height}" aria-hidden="true" focusable="false">{drawn}</svg>'
    )
