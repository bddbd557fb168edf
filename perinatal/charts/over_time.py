"""Pictures over time: an ambition's trajectory, a trend with its intervals, an SPC chart, a small multiple."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from perinatal.charts.plot import (
    HEIGHT,
    NARROW_CHARACTER,
    WIDTH,
    Interval,
    Line,
    Plot,
    Point,
    coordinate,
    numbers_of,
    room_for,
    unbroken,
    value_ticks,
)

OWN = {"plain": ("l-own", "dot")}
SMALL_WIDTH, SMALL_HEIGHT = 176, 84


def trajectory(target: Line, knots: Sequence[float], actual: Sequence[Line], unit: str, words: str) -> Markup:
    """Draw an ambition: the trajectory through its knots, and the published actuals, each definition its own line."""
    lines = [target, *actual]
    years = [x for line in lines for x, _ in line.points]
    ticks = value_ticks((y for line in lines for _, y in line.points), from_zero=True)
    span = (min(years) - 0.4, max(years) + 0.4)
    plot = Plot(WIDTH, HEIGHT, span, (ticks[0], ticks[-1]), left=room_for(ticks))
    plot.y_axis(ticks, unit)
    plot.x_labels([(year, str(int(year))) for year in range(int(min(years)), int(max(years)) + 1)])
    plot.path(target.points, target.look)
    for line in (target, *actual):
        if line is not target:
            plot.path(line.points, line.look)
        links = line.links or [("", "")] * len(line.points)
        drawn = [
            (x, Point("", y, kind="any", says=says, href=href))
            for (x, y), (says, href) in zip(line.points, links, strict=True)
            if line is not target or x in knots
        ]
        plot.points(drawn, {"any": (line.look, line.shape)})
    return plot.svg(words)


def _vertical_bars(plot: Plot, bars: Iterable[tuple[float, Interval]], look: str, cap: float = 3) -> None:
    drawn = "".join(_vertical_bar(plot, x, ends, cap) for x, ends in bars)
    if drawn:
        plot.parts.append(f'<path class="{look}" d="{drawn}"/>')


def _vertical_bar(plot: Plot, x: float, ends: Interval, cap: float) -> str:
    half, whole = coordinate(-cap), coordinate(2 * cap)
    left, low, high = (coordinate(at) for at in (plot.x(x) - cap, plot.y(ends[0]), plot.y(ends[1])))
    return f"M{left} {low}h{whole}m{half} 0V{high}m{half} 0h{whole}"


def _over_time(points: Sequence[Point], ticks: Sequence[float], unit: str) -> Plot:
    """Return the frame of a picture with one place a period."""
    span = (-0.5, max(len(points) - 0.5, 0.5))
    plot = Plot(WIDTH, HEIGHT, span, (ticks[0], ticks[-1]), left=room_for(ticks))
    plot.y_axis(ticks, unit)
    plot.x_labels([(index, point.label) for index, point in enumerate(points)])
    return plot


def trend(points: Sequence[Point], comparator: Sequence[float | None], unit: str, words: str) -> Markup:
    """Draw values over time with their 95% intervals, beside the comparator; incomplete ones as the span of bounds."""
    ticks = value_ticks([*numbers_of(points), *(value for value in comparator if value is not None)], from_zero=True)
    plot = _over_time(points, ticks, unit)
    _vertical_bars(plot, ((x, p.interval) for x, p in enumerate(points) if p.interval), "whisk")
    _values_over_time(plot, points, comparator)
    return plot.svg(words)


def _values_over_time(plot: Plot, points: Sequence[Point], comparator: Sequence[float | None]) -> None:
    """Draw the comparator, the bounds of incomplete periods, and the values."""
    for run in unbroken(list(enumerate(comparator))):
        plot.path(run, "l-compare")
        if len(run) == 1:
            plot.marks(run, "l-compare", "cross")
    for x, point in enumerate(points):
        if point.bounds:
            plot.link(f'<path class="bounds" d="{_vertical_bar(plot, x, point.bounds, 5)}"/>', point)
    for run in unbroken([(index, point.value) for index, point in enumerate(points)]):
        plot.path(run, "l-own")
    plot.points(enumerate(points), OWN)


SPC_LOOKS = {
    "special_cause_improvement": ("improve", "diamond"),
    "special_cause_concern": ("concern", "triangle"),
    "special_cause_neutral_high": ("neutral", "square"),
    "special_cause_neutral_low": ("neutral", "square"),
}


def spc(
    points: Sequence[Point],
    limits: tuple[float | None, float | None, float | None],
    target: float | None,
    unit: str,
    words: str,
) -> Markup:
    """Draw an XmR chart: mean, process limits, target; special causes by colour and shape (`Point.kind`)."""
    lower, mean, upper = limits
    drawn = [value for value in (*limits, target) if value is not None]
    ticks = value_ticks([*numbers_of(points), *drawn], from_zero=False)
    plot = _over_time(points, ticks, unit)
    for value, look in ((lower, "l-limit"), (upper, "l-limit"), (mean, "l-mean"), (target, "l-target")):
        if value is not None:
            plot.path([(plot.x_range[0], value), (plot.x_range[1], value)], look)
    for run in unbroken([(index, point.value) for index, point in enumerate(points)]):
        plot.path(run, "l-thin")
    plot.points(enumerate(points), SPC_LOOKS)
    return plot.svg(words)


def multiple(points: Sequence[Point], comparator: Sequence[float | None], words: str) -> Markup:
    """Draw one of many small pictures over time: as a trend, with only the ends of each axis labelled.

    The axis need not begin at zero, and intervals may reach beyond it: the course is what it is for.
    """
    known = [*(point.value for point in points), *(end for point in points for end in point.bounds or ()), *comparator]
    ticks = value_ticks((value for value in known if value is not None), from_zero=False)
    ends = (ticks[0], ticks[-1])
    span = (-0.3, len(points) - 0.7)
    plot = Plot(SMALL_WIDTH, SMALL_HEIGHT, span, ends, room_for(ends), 8, 20, "chart small-multiple")
    plot.y_axis(ends, "")
    first, last = points[0].label, points[-1].label
    plot.text(plot.left, SMALL_HEIGHT - 4, first, "start")
    if (len(first) + len(last) + 1) * NARROW_CHARACTER < SMALL_WIDTH - plot.left:
        plot.text(SMALL_WIDTH - 2, SMALL_HEIGHT - 4, last, "end")
    inside = [(x, _within(point.interval, ends)) for x, point in enumerate(points) if point.interval]
    _vertical_bars(plot, inside, "whisk", 0)
    _values_over_time(plot, points, comparator)
    return plot.svg(words)


def _within(span: Interval, ends: Interval) -> Interval:
    return (max(span[0], ends[0]), min(span[1], ends[1]))
