"""A strip: where many organisations stand on one indicator, each a dot along one axis."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from perinatal.charts.plot import Plot, Point, coordinate, nice_ticks, tick_text

WIDE, SIDE = 680, 12
NAMES = 16  # height of the line of names above the dots
DOT = 4.2
ROWS = 6  # dots that stand above each other; more lie on the topmost


def strip(points: Sequence[Point], england: float | None, says: str) -> Markup:
    """Draw a dot for each point along one axis, stacked where they would touch, with a line at England's value.

    The point of kind `own` is a diamond with its name above.
    """
    values = [point.value for point in points if point.value is not None] + ([] if england is None else [england])
    low, high = min(values), max(values)
    ticks = nice_ticks(low, high) if high > low else nice_ticks(low - 0.5, high + 0.5)
    plot = Plot(WIDE, 0, (ticks[0], ticks[-1]), (0, 1), left=SIDE, look="chart strip")
    stacked = _stacked(points, plot)
    own = next((item for item in stacked if item[0].kind == "own"), None)
    top = NAMES * ((own is not None) + (england is not None)) + 4
    axis = top + (max(row for _, _, row in stacked) + 1) * 2 * DOT + 5
    _scale(plot, ticks, axis)
    if england is not None:
        _named(plot, "England", plot.x(england), NAMES - 4, axis, "l-mean")
    if own:
        _named(plot, own[0].label, own[1], top - 8, axis, "lead")
    for point, x, row in stacked:
        drawn = _mark(point, x, axis - 3 - DOT - row * 2 * DOT)
        plot.link(drawn, point)
    plot.height = axis + 18
    return plot.svg(says)


def _scale(plot: Plot, ticks: Sequence[float], axis: float) -> None:
    line = f"M{SIDE} {coordinate(axis)}H{coordinate(plot.x(ticks[-1]))}"
    marks = "".join(f"M{coordinate(plot.x(tick))} {coordinate(axis)}v4" for tick in ticks)
    plot.parts.append(f'<path class="axis" d="{line}{marks}"/>')
    for tick in ticks:
        anchor = "start" if tick == ticks[0] else "end" if tick == ticks[-1] else "middle"
        plot.text(plot.x(tick), axis + 16, tick_text(tick), anchor)


def _named(plot: Plot, name: str, x: float, y: float, axis: float, look: str) -> None:
    """Draw a line down to the axis with a name at its top, on the side that has room."""
    anchor, shift = ("end", -4) if x > WIDE / 2 else ("start", 4)
    plot.parts.append(f'<path class="{look}" d="M{coordinate(x)} {coordinate(y - 9)}V{coordinate(axis)}"/>')
    plot.text(x + shift, y, name, anchor, "t strong")


def _stacked(points: Sequence[Point], plot: Plot) -> list[tuple[Point, float, int]]:
    """Give each point its place along the axis and the lowest row in which it touches no other."""
    stacked: list[tuple[Point, float, int]] = []
    for point in sorted(points, key=lambda point: (point.value or 0.0, point.label)):
        x = plot.x(point.value or 0.0)
        near = {row for _, at, row in stacked if abs(x - at) <= 2 * DOT}
        stacked.append((point, x, next((row for row in range(ROWS) if row not in near), ROWS - 1)))
    return stacked


def _mark(point: Point, x: float, y: float) -> str:
    title = f"<title>{escape(point.label)}</title>"
    at = f"{coordinate(x)} {coordinate(y - 6.5)}"
    if point.kind == "own":
        return f'<path class="mark lead" d="M{at}l6.5 6.5-6.5 6.5-6.5-6.5z">{title}</path>'
    return f'<circle class="dot lms" cx="{coordinate(x)}" cy="{coordinate(y)}" r="{DOT}">{title}</circle>'
