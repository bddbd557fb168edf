"""Pictures that set organisations beside each other: a ranking by name, a caterpillar without names."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from perinatal.charts.plot import (
    BOTTOM,
    COMMON,
    HEIGHT,
    NARROW_LINE,
    RIGHT,
    WIDTH,
    Plot,
    Point,
    coordinate,
    mark,
    numbers_of,
    room_for,
    tick_text,
    value_ticks,
)

LOOK_OF_COMPARISON = {
    "better": ("improve", "diamond"),
    "worse": ("concern", "triangle"),
    "higher": ("neutral", "square"),
    "lower": ("neutral", "square"),
}
NAMES = 166  # room for the names of a ranking


def ranked(points: Sequence[Point], comparator: float | None, unit: str, words: str) -> Markup:
    """Draw one named row an organisation: value and 95% interval, or the span of bounds where incomplete."""
    row, top = NARROW_LINE, 8
    ticks = value_ticks([*numbers_of(points), *([] if comparator is None else [comparator])], from_zero=True)
    height = top + row * len(points) + BOTTOM + NARROW_LINE
    plot = Plot(WIDTH, height, (ticks[0], ticks[-1]), (0, 1), left=NAMES, look="chart rows")
    bottom = top + row * len(points)
    lines = "".join(f"M{coordinate(plot.x(tick))} {top}V{coordinate(bottom)}" for tick in ticks)
    plot.parts.append(f'<path class="grid" d="{lines}"/>')
    for place, tick in enumerate(ticks):
        plot.text(plot.x(tick), bottom + 16, tick_text(tick), look="t mid" if place % 2 else "t")
    plot.text(WIDTH - 2, height - 6, unit, "end", "t small")
    if comparator is not None:
        at = coordinate(plot.x(comparator))
        plot.parts.append(f'<path class="l-compare" d="M{at} {top}V{coordinate(bottom)}"/>')
    spans = [
        f"M{coordinate(plot.x(ends[0]))} {coordinate(top + row * (index + 0.5))}H{coordinate(plot.x(ends[1]))}"
        for index, ends in enumerate(point.interval for point in points)
        if ends
    ]
    if spans:
        plot.parts.append(f'<path class="whisk" d="{"".join(spans)}"/>')
    for index, point in enumerate(points):
        middle = top + row * (index + 0.5)
        plot.name(NAMES - 6, middle + 4, point.label, NAMES - 10)
        if point.bounds:
            ends = [coordinate(plot.x(end)) for end in point.bounds]
            plot.link(f'<path class="bounds" d="M{ends[0]} {coordinate(middle)}H{ends[1]}"/>', point)
        elif point.value is not None:
            look, shape = LOOK_OF_COMPARISON.get(point.kind, COMMON)
            plot.link(mark(plot.x(point.value), middle, look, shape), point)
    return plot.svg(words)


def caterpillar(points: Sequence[Point], comparator: float | None, unit: str, words: str) -> Markup:
    """Draw many organisations in order of their value, unnamed: value and 95% interval against the comparator."""
    ticks = value_ticks([*numbers_of(points), *([] if comparator is None else [comparator])], from_zero=True)
    span = (-1, len(points))
    plot = Plot(WIDTH, HEIGHT, span, (ticks[0], ticks[-1]), left=room_for(ticks))
    plot.y_axis(ticks, unit)
    middle = (plot.left + WIDTH - RIGHT) / 2
    plot.text(middle, HEIGHT - 10, f"{len(points)} trusts in order of the value", "middle", "t small")
    if comparator is not None:
        plot.path([(-1, comparator), (len(points), comparator)], "l-compare")
    bars = "".join(
        f"M{coordinate(plot.x(index))} {coordinate(plot.y(point.interval[0]))}V{coordinate(plot.y(point.interval[1]))}"
        for index, point in enumerate(points)
        if point.interval
    )
    plot.parts.append(f'<path class="whisk" d="{bars}"/>')
    plot.points(enumerate(points), LOOK_OF_COMPARISON)
    return plot.svg(words)
