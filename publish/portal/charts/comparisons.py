"""Pictures that set organisations beside each other: a funnel, a ranking by name, a caterpillar without names."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from publish.portal.charts.plot import (
    BOTTOM,
    CHARACTER,
    LEFT,
    RIGHT,
    WIDTH,
    Limits,
    Plot,
    Point,
    coordinate,
    marks_path,
    nice_ticks,
    numbers_of,
    shortened,
    tick_text,
    unbroken,
    value_ticks,
)

LOOK_OF_COMPARISON = {
    "better": ("improve", "diamond"),
    "worse": ("concern", "triangle"),
    "higher": ("neutral", "square"),
    "lower": ("neutral", "square"),
}


def funnel(
    limits: Limits,
    others: Sequence[tuple[float, float]],
    marked: Sequence[tuple[float, float, str]],
    unit: str,
    x_label: str,
    words: str,
) -> Markup:
    """Draw a funnel: 95% and 99.8% control limits, England's rate (or its bounds), all points, some named."""
    curves = [limits.lower_998, limits.lower_95, limits.upper_95, limits.upper_998]
    largest = max(limits.denominators)
    tops = [y for _, y in others] + [y for _, y, _ in marked]
    # the limits of tiny denominators would squeeze everything else: the axis ends a little above the points
    ceiling = max([*(value * 1.15 for value in tops), limits.baseline[1] * 2])
    ticks = nice_ticks(0, ceiling)
    plot = Plot(WIDTH, 320, (0, largest), (0, ticks[-1]), below=BOTTOM + 16)
    plot.y_axis(ticks, unit)
    plot.x_labels([(tick, f"{tick:,.0f}") for tick in nice_ticks(0, largest)[:-1]])
    plot.text((LEFT + WIDTH) / 2, 316, x_label, look="t small")
    for curve, look in zip(curves, ("f-998", "f-95", "f-95", "f-998"), strict=True):
        inside = [
            (x, y if y is not None and y <= ticks[-1] else None)
            for x, y in zip(limits.denominators, curve, strict=True)
        ]
        for run in unbroken(inside):
            plot.path(run, look)
    low, high = limits.baseline
    if high > low:
        plot.path([(0, low), (largest, low), (largest, high), (0, high)], "f-band", closed=True)
    plot.path([(0, (low + high) / 2), (largest, (low + high) / 2)], "l-mean")
    plot.marks(others, "other", "dot")
    plot.marks([(x, y) for x, y, _ in marked], "own", "diamond")
    _name_points(plot, marked)
    return plot.svg(words)


def _name_points(plot: Plot, marked: Sequence[tuple[float, float, str]]) -> None:
    """Name the marked points, on the side with room, one line lower where names would cover each other."""
    taken: list[tuple[float, float, float]] = []
    for x, y, name in sorted(marked, key=lambda point: point[1], reverse=True):
        left, width = plot.x(x) + 9, len(name) * CHARACTER
        if left + width > plot.width - RIGHT:
            left = plot.x(x) - 9 - width
        top = plot.y(y) + 4
        while any(abs(top - other) < 13 and left < end and left + width > start for start, end, other in taken):
            top += 13
        taken.append((left, left + width, top))
        plot.text(left, top, name, "start", "t strong")


def ranked(points: Sequence[Point], comparator: float | None, unit: str, words: str) -> Markup:
    """Draw one named row an organisation: value and 95% interval, or the span of bounds where incomplete."""
    row, left, top = 19, 310, 8
    ticks = value_ticks([*numbers_of(points), *([] if comparator is None else [comparator])], from_zero=True)
    height = top + row * len(points) + BOTTOM
    plot = Plot(WIDTH, height, (ticks[0], ticks[-1]), (0, 1), left=left)
    bottom = height - BOTTOM
    lines = "".join(f"M{coordinate(plot.x(tick))} {top}V{coordinate(bottom)}" for tick in ticks)
    plot.parts.append(f'<path class="grid" d="{lines}"/>')
    for tick in ticks:
        plot.text(plot.x(tick), bottom + 16, tick_text(tick))
    plot.text(WIDTH - RIGHT, height - 3, unit, "end", "t small")
    if comparator is not None:
        at = coordinate(plot.x(comparator))
        plot.parts.append(f'<path class="l-compare" d="M{at} {top}V{coordinate(bottom)}"/>')
    spans: dict[str, list[str]] = {"whisk": [], "bounds": []}
    groups: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for index, point in enumerate(points):
        middle = top + row * (index + 0.5)
        plot.text(left - 8, middle + 4, shortened(point.label, int((left - 14) / CHARACTER)), "end")
        for look, span in (("whisk", point.interval), ("bounds", point.bounds)):
            if span:
                spans[look].append(f"M{coordinate(plot.x(span[0]))} {coordinate(middle)}H{coordinate(plot.x(span[1]))}")
        if point.value is not None:
            groups.setdefault(LOOK_OF_COMPARISON.get(point.kind, ("common", "dot")), []).append(
                (plot.x(point.value), middle)
            )
    plot.parts += [f'<path class="{look}" d="{"".join(drawn)}"/>' for look, drawn in spans.items() if drawn]
    plot.parts += [marks_path(positions, look, shape) for (look, shape), positions in groups.items()]
    return plot.svg(words)


def caterpillar(points: Sequence[Point], comparator: float | None, unit: str, words: str) -> Markup:
    """Draw many organisations in order of their value, unnamed: value and 95% interval against the comparator."""
    ticks = value_ticks([*numbers_of(points), *([] if comparator is None else [comparator])], from_zero=True)
    plot = Plot(WIDTH, 280, (-1, len(points)), (ticks[0], ticks[-1]))
    plot.y_axis(ticks, unit)
    plot.text((LEFT + WIDTH) / 2, 270, f"{len(points)} trusts in order of the value", "middle", "t small")
    if comparator is not None:
        plot.path([(-1, comparator), (len(points), comparator)], "l-compare")
    bars = "".join(
        f"M{coordinate(plot.x(index))} {coordinate(plot.y(point.interval[0]))}V{coordinate(plot.y(point.interval[1]))}"
        for index, point in enumerate(points)
        if point.interval
    )
    plot.parts.append(f'<path class="whisk" d="{bars}"/>')
    groups: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for index, point in enumerate(points):
        if point.value is not None:
            groups.setdefault(LOOK_OF_COMPARISON.get(point.kind, ("common", "dot")), []).append((index, point.value))
    for (look, shape), positions in groups.items():
        plot.marks(positions, look, shape)
    return plot.svg(words)
