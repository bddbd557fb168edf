"""The frame of a picture: axes with round numbers, lines, marks, text; where a value lies on it."""

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


def coordinate(value: float) -> str:
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


def tick_text(value: float) -> str:
    """Write a tick's value without needless zeros."""
    return f"{value:,.10f}".rstrip("0").rstrip(".")


def value_ticks(values: Iterable[float], *, from_zero: bool) -> list[float]:
    """Return the ticks of an axis on which all values lie, from zero or with a little room at both ends."""
    found = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(found), max(found)
    if from_zero and low >= 0:
        low = 0.0
    else:
        margin = (high - low) * 0.05
        low, high = low - margin, high + margin
    return nice_ticks(low, high)


def numbers_of(points: Iterable[Point]) -> list[float]:
    """Return all numbers that are drawn of points: values, ends of intervals, bounds."""
    found: list[float] = []
    for point in points:
        found += [value for value in (point.value, *(point.interval or ()), *(point.bounds or ())) if value is not None]
    return found


def unbroken(points: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """Cut a line where a value is missing: a gap is not bridged."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if y is None:
            runs.append([])
        else:
            runs[-1].append((x, y))
    return [run for run in runs if run]


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
        steps = " ".join(f"{coordinate(self.x(x))},{coordinate(self.y(y))}" for x, y in points)
        if steps:
            self.parts.append(f'<path class="{look}" d="M{steps}{"Z" if closed else ""}"/>')

    def marks(self, points: Iterable[tuple[float, float]], look: str, shape: str) -> None:
        """Draw one mark at each value; dots are one path of zero-length strokes with round ends."""
        positions = [(self.x(x), self.y(y)) for x, y in points]
        if positions:
            self.parts.append(marks_path(positions, look, shape))

    def text(self, x: float, y: float, words: str, anchor: str = "middle", look: str = "t") -> None:
        """Write words at coordinates."""
        self.parts.append(
            f'<text class="{look} a-{anchor}" x="{coordinate(x)}" y="{coordinate(y)}">{escape(words)}</text>'
        )

    def y_axis(self, ticks: Sequence[float], unit: str) -> None:
        """Draw horizontal grid lines with their values, and the unit above them."""
        right = self.width - RIGHT
        grid = "".join(f"M{coordinate(self.left)} {coordinate(self.y(tick))}H{coordinate(right)}" for tick in ticks)
        self.parts.append(f'<path class="grid" d="{grid}"/>')
        for tick in ticks:
            self.text(self.left - 6, self.y(tick) + 4, tick_text(tick), "end")
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
            f'<svg class="{look}" viewBox="0 0 {coordinate(self.width)} {coordinate(self.height)}" role="img" '
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


def marks_path(positions: Iterable[tuple[float, float]], look: str, shape: str) -> str:
    """Return one path that draws the same mark at many coordinates."""
    if shape == "dot":
        return (
            f'<path class="dots {look}" d="'
            + "".join(f"M{coordinate(x)} {coordinate(y)}h0" for x, y in positions)
            + '"/>'
        )
    drawn = "".join(f"M{coordinate(x)} {coordinate(y)}{SHAPES[shape]}" for x, y in positions)
    return f'<path class="mark {look}" d="{drawn}"/>'


def shortened(text: str, most: int) -> str:
    """Return a text of at most so many characters."""
    return text if len(text) <= most else text[: max(most - 1, 1)].rstrip() + "…"
