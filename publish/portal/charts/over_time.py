"""Pictures over time: an ambition's trajectory, a trend with its intervals, an SPC chart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from publish.portal.charts.plot import (
    HEIGHT,
    NARROW,
    WIDTH,
    Interval,
    Line,
    Plot,
    Point,
    coordinate,
    numbers_of,
    unbroken,
    value_ticks,
)


def trajectory(target: Line, knots: Sequence[float], actual: Sequence[Line], unit: str, words: str) -> Markup:
    """Draw an ambition: the trajectory through its knots, and the published actuals, each definition its own line."""
    lines = [target, *actual]
    years = [x for line in lines for x, _ in line.points]
    ticks = value_ticks((y for line in lines for _, y in line.points), from_zero=True)
    plot = Plot(WIDTH, HEIGHT, (min(years) - 0.4, max(years) + 0.4), (ticks[0], ticks[-1]))
    plot.y_axis(ticks, unit)
    plot.x_labels([(year, str(int(year))) for year in range(int(min(years)), int(max(years)) + 1)])
    plot.path(target.points, target.look)
    plot.marks([point for point in target.points if point[0] in knots], target.look, target.shape)
    for line in actual:
        plot.path(line.points, line.look)
        plot.marks(line.points, line.look, line.shape)
    return plot.svg(words)


def _vertical_bars(plot: Plot, bars: Iterable[tuple[float, Interval]], look: str, cap: float = 3) -> None:
    half, whole = coordinate(-cap), coordinate(2 * cap)
    drawn = "".join(
        f"M{coordinate(plot.x(x) - cap)} {coordinate(plot.y(low))}h{whole}m{half} 0"
        f"V{coordinate(plot.y(high))}m{half} 0h{whole}"
        for x, (low, high) in bars
    )
    if drawn:
        plot.parts.append(f'<path class="{look}" d="{drawn}"/>')


def trend(points: Sequence[Point], comparator: Sequence[float | None], unit: str, words: str) -> Markup:
    """Draw values over time with their 95% intervals, beside the comparator; incomplete ones as the span of bounds."""
    ticks = value_ticks([*numbers_of(points), *(value for value in comparator if value is not None)], from_zero=True)
    plot = Plot(NARROW, 250, (-0.5, max(len(points) - 0.5, 0.5)), (ticks[0], ticks[-1]))
    plot.y_axis(ticks, unit)
    plot.x_labels([(index, point.label) for index, point in enumerate(points)])
    for run in unbroken(list(enumerate(comparator))):
        plot.path(run, "l-compare")
        if len(run) == 1:
            plot.marks(run, "l-compare", "cross")
    _vertical_bars(plot, ((x, p.interval) for x, p in enumerate(points) if p.interval), "whisk")
    _vertical_bars(plot, ((x, p.bounds) for x, p in enumerate(points) if p.bounds), "bounds", 5)
    for run in unbroken([(index, point.value) for index, point in enumerate(points)]):
        plot.path(run, "l-own")
        plot.marks(run, "l-own", "dot")
    return plot.svg(words)


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
    plot = Plot(NARROW, 250, (-0.5, max(len(points) - 0.5, 0.5)), (ticks[0], ticks[-1]))
    plot.y_axis(ticks, unit)
    plot.x_labels([(index, point.label) for index, point in enumerate(points)])
    for value, look in ((lower, "l-limit"), (upper, "l-limit"), (mean, "l-mean"), (target, "l-target")):
        if value is not None:
            plot.path([(plot.x_range[0], value), (plot.x_range[1], value)], look)
    for run in unbroken([(index, point.value) for index, point in enumerate(points)]):
        plot.path(run, "l-thin")
    groups: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for index, point in enumerate(points):
        if point.value is not None:
            groups.setdefault(SPC_LOOKS.get(point.kind, ("common", "dot")), []).append((index, point.value))
    for (look, shape), positions in groups.items():
        plot.marks(positions, look, shape)
    return plot.svg(words)
