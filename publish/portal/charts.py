"""Pictures as inline SVG: trajectory, trend, SPC, funnel, ranking, convergence of themes; one look everywhere.

Nothing here computes: positions come from numbers that ship, and what does not ship (a masked cell, a withheld
denominator) is not handed in and so cannot be read off a coordinate. Colours and strokes are classes of portal.css
(the pages' Content-Security-Policy allows no inline style); every meaning has a shape beside its colour. A picture has
a text alternative; the table with its numbers stands beside it on the page.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

WIDTH, HEIGHT = 680, 300
NARROW = 520  # two of these stand side by side on a wide screen
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 26, 34
CHARACTER = 7.8  # width of a character of the labels, in units of the view box, in the widest usual font

Interval = tuple[float, float]


@dataclass(frozen=True)
class Point:
    """One value of a series: what it is called on the axis, the value, its interval, or its bounds if incomplete."""

    label: str
    value: float | None
    interval: Interval | None = None
    bounds: Interval | None = None
    kind: str = "plain"


@dataclass(frozen=True)
class Line:
    """A line of (x, y) points; `look` is its class in portal.css, `shape` the mark at each point."""

    name: str
    points: Sequence[tuple[float, float]]
    look: str
    shape: str


@dataclass(frozen=True)
class Limits:
    """The limits of a funnel at growing denominators: one row a denominator, None where a limit has no value."""

    denominators: Sequence[float]
    lower_998: Sequence[float | None]
    lower_95: Sequence[float | None]
    upper_95: Sequence[float | None]
    upper_998: Sequence[float | None]
    baseline: Interval


def _n(value: float) -> str:
    """Write a coordinate in tenths, as short as can be."""
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text


NO_RANGE = 1e-9  # far below what any unit is printed with


def nice_ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Return round numbers from at or below `low` to at or above `high`."""
    if high - low < NO_RANGE:
        high = low + max(abs(low), 1.0)
    raw = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 10) for index in range(first, last + 1)]


def _tick_text(value: float) -> str:
    return f"{value:,.10f}".rstrip("0").rstrip(".")


@dataclass
class Plot:
    """A frame with axes; `x` and `y` turn values into coordinates."""

    width: float
    height: float
    x_range: Interval
    y_range: Interval
    left: float = LEFT
    below: float = BOTTOM
    parts: list[str] = field(default_factory=list)

    def x(self, value: float) -> float:
        """Return the horizontal coordinate."""
        low, high = self.x_range
        return self.left + (value - low) / ((high - low) or 1) * (self.width - self.left - RIGHT)

    def y(self, value: float) -> float:
        """Return the vertical coordinate."""
        low, high = self.y_range
        return self.height - self.below - (value - low) / ((high - low) or 1) * (self.height - TOP - self.below)

    def path(self, points: Iterable[tuple[float, float]], look: str, *, closed: bool = False) -> None:
        """Draw a line, or an area, through values."""
        steps = " ".join(f"{_n(self.x(x))},{_n(self.y(y))}" for x, y in points)
        if steps:
            self.parts.append(f'<path class="{look}" d="M{steps}{"Z" if closed else ""}"/>')

    def marks(self, points: Iterable[tuple[float, float]], look: str, shape: str) -> None:
        """Draw one mark at each value; dots are one path of zero-length strokes with round ends."""
        places = [(self.x(x), self.y(y)) for x, y in points]
        if places:
            self.parts.append(_marks(places, look, shape))

    def text(self, x: float, y: float, words: str, anchor: str = "middle", look: str = "t") -> None:
        """Write words at coordinates."""
        self.parts.append(f'<text class="{look} a-{anchor}" x="{_n(x)}" y="{_n(y)}">{escape(words)}</text>')

    def y_axis(self, ticks: Sequence[float], unit: str) -> None:
        """Draw horizontal grid lines with their values, and the unit above them."""
        right = self.width - RIGHT
        grid = "".join(f"M{_n(self.left)} {_n(self.y(tick))}H{_n(right)}" for tick in ticks)
        self.parts.append(f'<path class="grid" d="{grid}"/>')
        for tick in ticks:
            self.text(self.left - 6, self.y(tick) + 4, _tick_text(tick), "end")
        self.text(2, 12, unit, "start", "t small")

    def x_labels(self, labels: Sequence[tuple[float, str]]) -> None:
        """Write labels under the plot, left out where they would run into each other."""
        free = -math.inf
        for position, (value, label) in enumerate(labels):
            half = len(label) * CHARACTER / 2 + 3
            at = min(max(self.x(value), half), self.width - half)
            last = self.x(labels[-1][0])
            room = position == len(labels) - 1 or at + half < min(last, self.width - half) - half
            if at - half >= free and room:
                self.text(at, self.height - self.below + 20, label)
                free = at + half

    def svg(self, words: str) -> Markup:
        """Return the picture; `words` is its text alternative."""
        look = "chart narrow" if self.width == NARROW else "chart"
        return Markup(  # noqa: S704 - made of numbers and of text that is escaped here
            f'<svg class="{look}" viewBox="0 0 {_n(self.width)} {_n(self.height)}" role="img" '
            f'aria-label="{escape(words)}">{"".join(self.parts)}</svg>'
        )


SHAPES: dict[str, str] = {
    "square": "m-4 -4h8v8h-8z",
    "diamond": "m0 -6l6 6l-6 6l-6 -6z",
    "triangle": "m0 -6l5.5 10h-11z",
    "inverted": "m0 6l5.5 -10h-11z",
    "cross": "m-4 -4l8 8m0 -8l-8 8",
    "frame": "m-9 -6h18v12h-18z",
}


def _marks(places: Iterable[tuple[float, float]], look: str, shape: str) -> str:
    if shape == "dot":
        return f'<path class="dots {look}" d="' + "".join(f"M{_n(x)} {_n(y)}h0" for x, y in places) + '"/>'
    drawn = "".join(f"M{_n(x)} {_n(y)}{SHAPES[shape]}" for x, y in places)
    return f'<path class="mark {look}" d="{drawn}"/>'


def key(look: str, shape: str | None, line: bool = False) -> Markup:
    """Return the sample of a line or mark for the key beside a picture."""
    drawn = f'<path class="{look}" d="M1 8H25"/>' if line else ""
    drawn += _marks([(13, 8)], look, shape) if shape else ""
    return _small("key", 26, 16, drawn)


RANKED_KEY = (
    ("common", "dot", False, "similar, or nothing to compare with"),
    ("improve", "diamond", False, "better"),
    ("concern", "triangle", False, "worse"),
    ("neutral", "square", False, "higher or lower"),
    ("whisk", None, True, "95% interval"),
    ("bounds", None, True, "bounds, where incomplete"),
    ("l-compare", None, True, "comparator"),
)
FUNNEL_KEY = (
    ("l-mean", None, True, "England"),
    ("f-95", None, True, "95% limits"),
    ("f-998", None, True, "99.8% limits"),
)
# what the looks of each kind of picture mean: look, shape, whether as a line, words
KEYS: dict[str, Sequence[tuple[str, str | None, bool, str]]] = {
    "trend": (
        ("l-own", "dot", True, "value with 95% interval"),
        ("l-compare", None, True, "what it is compared with"),
        ("bounds", None, True, "bounds, where incomplete"),
    ),
    "spc": (
        ("common", "dot", False, "common cause"),
        ("improve", "diamond", False, "special cause: improvement"),
        ("concern", "triangle", False, "special cause: concern"),
        ("neutral", "square", False, "special cause: neither"),
        ("l-mean", None, True, "mean"),
        ("l-limit", None, True, "process limits"),
        ("l-target", None, True, "target"),
    ),
    "funnel": (
        ("own", "diamond", False, "this page’s trusts"),
        ("other", "dot", False, "other trusts"),
        *FUNNEL_KEY,
    ),
    "funnel-bare": (("other", "dot", False, "trust"), *FUNNEL_KEY),
    "ranked": RANKED_KEY,
    "themes": (
        ("cell", "frame", False, "number of the source’s findings that were coded to the theme"),
        ("published", "frame", False, "the source names the theme in a published count or list"),
    ),
}


def _y_ticks(values: Iterable[float], *, from_zero: bool) -> list[float]:
    found = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(found), max(found)
    if from_zero and low >= 0:
        low = 0.0
    else:
        margin = (high - low) * 0.05
        low, high = low - margin, high + margin
    return nice_ticks(low, high)


def trajectory(target: Line, knots: Sequence[float], actual: Sequence[Line], unit: str, words: str) -> Markup:
    """Draw an ambition: the trajectory through its knots, and the published actuals, each definition its own line."""
    lines = [target, *actual]
    years = [x for line in lines for x, _ in line.points]
    ticks = _y_ticks((y for line in lines for _, y in line.points), from_zero=True)
    plot = Plot(WIDTH, HEIGHT, (min(years) - 0.4, max(years) + 0.4), (ticks[0], ticks[-1]))
    plot.y_axis(ticks, unit)
    plot.x_labels([(year, str(int(year))) for year in range(int(min(years)), int(max(years)) + 1)])
    plot.path(target.points, target.look)
    plot.marks([point for point in target.points if point[0] in knots], target.look, target.shape)
    for line in actual:
        plot.path(line.points, line.look)
        plot.marks(line.points, line.look, line.shape)
    return plot.svg(words)


def _numbers_of(points: Iterable[Point]) -> list[float]:
    found: list[float] = []
    for point in points:
        found += [value for value in (point.value, *(point.interval or ()), *(point.bounds or ())) if value is not None]
    return found


def _runs(points: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """Cut a line where a value is missing: a gap is not bridged."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if y is None:
            runs.append([])
        else:
            runs[-1].append((x, y))
    return [run for run in runs if run]


def _vertical_bars(plot: Plot, bars: Iterable[tuple[float, Interval]], look: str, cap: float = 3) -> None:
    half, whole = _n(-cap), _n(2 * cap)
    drawn = "".join(
        f"M{_n(plot.x(x) - cap)} {_n(plot.y(low))}h{whole}m{half} 0V{_n(plot.y(high))}m{half} 0h{whole}"
        for x, (low, high) in bars
    )
    if drawn:
        plot.parts.append(f'<path class="{look}" d="{drawn}"/>')


def trend(points: Sequence[Point], comparator: Sequence[float | None], unit: str, words: str) -> Markup:
    """Draw values over time with their 95% intervals, beside the comparator; incomplete ones as the span of bounds."""
    ticks = _y_ticks([*_numbers_of(points), *(value for value in comparator if value is not None)], from_zero=True)
    plot = Plot(NARROW, 250, (-0.5, max(len(points) - 0.5, 0.5)), (ticks[0], ticks[-1]))
    plot.y_axis(ticks, unit)
    plot.x_labels([(place, point.label) for place, point in enumerate(points)])
    for run in _runs(list(enumerate(comparator))):
        plot.path(run, "l-compare")
        if len(run) == 1:
            plot.marks(run, "l-compare", "cross")
    _vertical_bars(plot, ((x, p.interval) for x, p in enumerate(points) if p.interval), "whisk")
    _vertical_bars(plot, ((x, p.bounds) for x, p in enumerate(points) if p.bounds), "bounds", 5)
    for run in _runs([(place, point.value) for place, point in enumerate(points)]):
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
    ticks = _y_ticks([*_numbers_of(points), *drawn], from_zero=False)
    plot = Plot(NARROW, 250, (-0.5, max(len(points) - 0.5, 0.5)), (ticks[0], ticks[-1]))
    plot.y_axis(ticks, unit)
    plot.x_labels([(place, point.label) for place, point in enumerate(points)])
    for value, look in ((lower, "l-limit"), (upper, "l-limit"), (mean, "l-mean"), (target, "l-target")):
        if value is not None:
            plot.path([(plot.x_range[0], value), (plot.x_range[1], value)], look)
    for run in _runs([(place, point.value) for place, point in enumerate(points)]):
        plot.path(run, "l-thin")
    groups: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for place, point in enumerate(points):
        if point.value is not None:
            groups.setdefault(SPC_LOOKS.get(point.kind, ("common", "dot")), []).append((place, point.value))
    for (look, shape), places in groups.items():
        plot.marks(places, look, shape)
    return plot.svg(words)


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
        for run in _runs(inside):
            plot.path(run, look)
    low, high = limits.baseline
    if high > low:
        plot.path([(0, low), (largest, low), (largest, high), (0, high)], "f-band", closed=True)
    plot.path([(0, (low + high) / 2), (largest, (low + high) / 2)], "l-mean")
    plot.marks(others, "other", "dot")
    plot.marks([(x, y) for x, y, _ in marked], "own", "diamond")
    _labels(plot, marked)
    return plot.svg(words)


def _labels(plot: Plot, marked: Sequence[tuple[float, float, str]]) -> None:
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


LOOK_OF_COMPARISON = {
    "better": ("improve", "diamond"),
    "worse": ("concern", "triangle"),
    "higher": ("neutral", "square"),
    "lower": ("neutral", "square"),
}


def ranked(points: Sequence[Point], comparator: float | None, unit: str, words: str) -> Markup:
    """Draw one named row an organisation: value and 95% interval, or the span of bounds where incomplete."""
    row, left, top = 19, 310, 8
    ticks = _y_ticks([*_numbers_of(points), *([] if comparator is None else [comparator])], from_zero=True)
    height = top + row * len(points) + BOTTOM
    plot = Plot(WIDTH, height, (ticks[0], ticks[-1]), (0, 1), left=left)
    bottom = height - BOTTOM
    lines = "".join(f"M{_n(plot.x(tick))} {top}V{_n(bottom)}" for tick in ticks)
    plot.parts.append(f'<path class="grid" d="{lines}"/>')
    for tick in ticks:
        plot.text(plot.x(tick), bottom + 16, _tick_text(tick))
    plot.text(WIDTH - RIGHT, height - 3, unit, "end", "t small")
    if comparator is not None:
        at = _n(plot.x(comparator))
        plot.parts.append(f'<path class="l-compare" d="M{at} {top}V{_n(bottom)}"/>')
    spans: dict[str, list[str]] = {"whisk": [], "bounds": []}
    groups: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for place, point in enumerate(points):
        middle = top + row * (place + 0.5)
        plot.text(left - 8, middle + 4, _shortened(point.label, int((left - 14) / CHARACTER)), "end")
        for look, span in (("whisk", point.interval), ("bounds", point.bounds)):
            if span:
                spans[look].append(f"M{_n(plot.x(span[0]))} {_n(middle)}H{_n(plot.x(span[1]))}")
        if point.value is not None:
            groups.setdefault(LOOK_OF_COMPARISON.get(point.kind, ("common", "dot")), []).append(
                (plot.x(point.value), middle)
            )
    plot.parts += [f'<path class="{look}" d="{"".join(drawn)}"/>' for look, drawn in spans.items() if drawn]
    plot.parts += [_marks(places, look, shape) for (look, shape), places in groups.items()]
    return plot.svg(words)


def caterpillar(points: Sequence[Point], comparator: float | None, unit: str, words: str) -> Markup:
    """Draw many organisations in order of their value, unnamed: value and 95% interval against the comparator."""
    ticks = _y_ticks([*_numbers_of(points), *([] if comparator is None else [comparator])], from_zero=True)
    plot = Plot(WIDTH, 280, (-1, len(points)), (ticks[0], ticks[-1]))
    plot.y_axis(ticks, unit)
    plot.text((LEFT + WIDTH) / 2, 270, f"{len(points)} trusts in order of the value", "middle", "t small")
    if comparator is not None:
        plot.path([(-1, comparator), (len(points), comparator)], "l-compare")
    bars = "".join(
        f"M{_n(plot.x(place))} {_n(plot.y(point.interval[0]))}V{_n(plot.y(point.interval[1]))}"
        for place, point in enumerate(points)
        if point.interval
    )
    plot.parts.append(f'<path class="whisk" d="{bars}"/>')
    groups: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for place, point in enumerate(points):
        if point.value is not None:
            groups.setdefault(LOOK_OF_COMPARISON.get(point.kind, ("common", "dot")), []).append((place, point.value))
    for (look, shape), places in groups.items():
        plot.marks(places, look, shape)
    return plot.svg(words)


def matrix(
    rows: Sequence[tuple[str, Sequence[tuple[int, bool]]]], columns: Sequence[str], last: str, words: str
) -> Markup:
    """Draw which source names which theme: a square with the number of findings, a frame where it is published.

    Each row is a label and one (findings, named in a published report) a column; at its end stands how many columns
    say anything, under the heading `last`.
    """
    row, left, above, size = 21, 280, 50, 15
    heads = [name.split(" ") for name in (*columns, last)]
    widths = [max(42, CHARACTER * max(map(len, lines)) + 6) for lines in heads]
    middles = [left + sum(widths[:place]) + width / 2 for place, width in enumerate(widths)]
    plot = Plot(left + sum(widths), above + row * len(rows) + 6, (0, 1), (0, 1))
    for x, lines in zip(middles, heads, strict=True):
        for line, word in enumerate(reversed(lines)):
            plot.text(x, above - 8 - 13 * line, word, look="t small")
    grid = "".join(f"M0 {above + row * place}H{_n(plot.width)}" for place in range(len(rows) + 1))
    plot.parts.append(f'<path class="grid" d="{grid}"/>')
    looks: dict[str, list[str]] = {"cell": [], "published": []}
    for place, (label, cells) in enumerate(rows):
        middle = above + row * (place + 0.5)
        plot.text(left - 8, middle + 4, _shortened(label, int((left - 14) / CHARACTER)), "end")
        for x, (findings, published) in zip(middles, cells, strict=False):
            for look, width in [("cell", 30)] * bool(findings) + [("published", 36)] * published:
                tall = size + (width - 30) / 2
                looks[look].append(f"M{_n(x - width / 2)} {_n(middle - tall / 2)}h{width}v{_n(tall)}h{-width}z")
    plot.parts += [f'<path class="{look}" d="{"".join(drawn)}"/>' for look, drawn in looks.items() if drawn]
    for place, (_, cells) in enumerate(rows):
        middle = above + row * (place + 0.5)
        for x, (findings, _) in zip(middles, cells, strict=False):
            if findings:
                plot.text(x, middle + 4, str(findings), look="t on")
        plot.text(middles[-1], middle + 4, str(sum(any(cell) for cell in cells)), look="t strong")
    return plot.svg(words)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: max(most - 1, 1)].rstrip() + "…"


def whisker(point: Point, comparator: float | None, span: Interval) -> Markup:
    """Draw a small interval for a table row, its comparator as a tick; the numbers stand beside it in the table."""
    width, height = 120, 18
    low, high = span

    def scale(value: float) -> str:
        return _n(4 + (min(max(value, low), high) - low) / ((high - low) or 1) * 112)

    parts = [] if comparator is None else [f'<path class="l-tick" d="M{scale(comparator)} 1V17"/>']
    for look, ends in (("whisk", point.interval), ("bounds", point.bounds)):
        if ends:
            parts.append(f'<path class="{look}" d="M{scale(ends[0])} 9H{scale(ends[1])}"/>')
    if point.value is not None:
        look, shape = LOOK_OF_COMPARISON.get(point.kind, ("common", "dot"))
        parts.append(_marks([(float(scale(point.value)), 9)], look, shape))
    return _small("whisker", width, height, "".join(parts))


def spark(values: Sequence[float | None]) -> Markup:
    """Draw a small line over time for a table row; the trend stands beside it in words."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return Markup()
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    places = [(place, None if value is None else 15 - (value - low) / span * 12) for place, value in enumerate(values)]
    step = 66 / (len(values) - 1)
    drawn = "".join(
        "M" + " ".join(f"{_n(4 + x * step)},{_n(y)}" for x, y in run) + ("h0" if len(run) == 1 else "")
        for run in _runs(places)
    )
    x, y = next((x, y) for x, y in reversed(places) if y is not None)
    end = _marks([(4 + x * step, y)], "l-own", "dot")
    return _small("spark", 76, 18, f'<path class="l-own" d="{drawn}"/>{end}')


def _small(look: str, width: int, height: int, drawn: str) -> Markup:
    """Return a picture that says nothing which the text beside it does not: hidden from screen readers."""
    return Markup(  # noqa: S704 - numbers only
        f'<svg class="{look}" viewBox="0 0 {width} {height}" aria-hidden="true" focusable="false">{drawn}</svg>'
    )
