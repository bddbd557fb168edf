"""A spine: one row an indicator, each on a scale of its own with England in the middle, and where one organisation is.

A pale bar from the least to the greatest value of all organisations, a darker one over the middle half of them, the
organisation's own value and interval as a mark on top.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from perinatal.charts.comparisons import LOOK_OF_COMPARISON
from perinatal.charts.plot import (
    CHARACTER,
    COMMON,
    NARROW_CHARACTER,
    NARROW_LINE,
    WIDTH,
    Interval,
    Plot,
    Point,
    coordinate,
    mark,
    shortened,
)

ROW, BAR, EDGE = 32, 8, 8  # height of a row and of its bar, room at both sides
HEAD = 22


@dataclass(frozen=True)
class SpineRow:
    """One indicator: its name, the own figure in words, own value, England, the ends and the middle half of all.

    `middle` is England's value, or the middle of its bounds, and `england.label` the same in words. Where `is_turned`,
    great values lie on the left: so that worse is on the left of every row.
    """

    name: str
    figure: str
    own: Point
    england: Point
    middle: float
    lowest: Point
    highest: Point
    quartiles: Interval
    is_turned: bool = False


def spine(blocks: Sequence[tuple[str, str, Sequence[SpineRow]]], words: str) -> Markup:
    """Draw blocks of rows, each with what its left and its right side mean."""
    height = sum(HEAD + ROW * len(rows) for _, _, rows in blocks) + 4
    plot = Plot(WIDTH, height, (-1, 1), (0, 1), left=EDGE, look="chart rows")
    top = 0.0
    for left, right, rows in blocks:
        plot.text(EDGE, top + 14, f"← {left}", "start", "t small")
        plot.text(plot.x(0), top + 14, "England", "middle", "t small")
        plot.text(plot.x(1), top + 14, f"{right} →", "end", "t small")
        for place, row in enumerate(rows):
            _row(plot, row, top + HEAD + ROW * place)
        top += HEAD + ROW * len(rows)
    return plot.svg(words)


def _row(plot: Plot, row: SpineRow, top: float) -> None:
    bar = top + NARROW_LINE
    _words(plot, row, top + 12)
    low, high = row.lowest.value or 0.0, row.highest.value or 0.0
    half = max(high - row.middle, row.middle - low, abs((row.own.value or row.middle) - row.middle)) or 1.0

    def x(value: float) -> float:
        at = min(max((value - row.middle) / half, -1), 1)
        return plot.x(-at if row.is_turned else at)

    for ends, look in (((low, high), "all"), (row.quartiles, "half")):
        left, right = (coordinate(at) for at in sorted((x(ends[0]), x(ends[1]))))
        plot.parts.append(f'<path class="{look}" d="M{left} {coordinate(bar)}H{right}v{BAR}H{left}z"/>')
    if row.own.bounds:
        plot.link(f'<path class="bounds" d="{_span(row.own.bounds, x, bar + BAR / 2)}"/>', row.own)
    if row.own.interval:
        plot.parts.append(f'<path class="whisk" d="{_span(row.own.interval, x, bar + BAR / 2)}"/>')
    for point in (row.lowest, row.highest):
        plot.link(_end(x(point.value or 0.0), bar), point)
    plot.link(_england(x(row.middle), bar), row.england)
    if row.own.value is not None:
        look, shape = LOOK_OF_COMPARISON.get(row.own.kind, COMMON)
        plot.link(mark(x(row.own.value), bar + BAR / 2, look, shape), row.own)


def _span(ends: Interval, x: Callable[[float], float], y: float) -> str:
    return f"M{coordinate(x(ends[0]))} {coordinate(y)}H{coordinate(x(ends[1]))}"


def _words(plot: Plot, row: SpineRow, base: float) -> None:
    """Write name and figure; where letters are large, without England's, whose line is in the middle anyway."""
    whole = f"{row.figure} (England {row.england.label})"
    room = plot.width - 2 * EDGE
    if (len(row.name) + len(whole) + 2) * NARROW_CHARACTER <= room:
        plot.text(EDGE, base, row.name, "start")
        plot.text(plot.x(1), base, whole, "end")
        return
    for figure, width, look in ((whole, CHARACTER, "t mid"), (row.figure, NARROW_CHARACTER, "t narrow-only")):
        plot.text(EDGE, base, shortened(row.name, int(room / width) - len(figure) - 2), "start", look)
        plot.text(plot.x(1), base, figure, "end", look)


def _end(x: float, bar: float) -> str:
    return f'<path class="end" d="M{coordinate(x - 1)} {coordinate(bar)}h2v{BAR}h-2z"/>'


def _england(x: float, bar: float) -> str:
    return f'<path class="l-mean" d="M{coordinate(x)} {coordinate(bar - 2)}v{BAR + 4}"/>'
