"""The frame of a picture: axes with round numbers, lines, marks, text; where a value lies on it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

WIDTH, HEIGHT = 440, 236  # small, so that on a narrow screen the picture shrinks to no less than two thirds
RIGHT, TOP, BOTTOM = 18, 30, 30
# width of a character of the labels in units of the view box, in the widest usual font; on a narrow screen charts.css
# writes them larger, and what is placed must not run into each other there either
CHARACTER, NARROW_CHARACTER = 6.4, 9.0
NARROW_LINE = 17

Interval = tuple[float, float]
COMMON = ("common", "dot")  # look and shape of what nothing special is said of


@dataclass(frozen=True)
class Point:
    """One value of a series: what it is called on the axis, the value, its interval, or its bounds if incomplete.

    `says` is all that is said of it (name, value, interval, period, verdict) and `href` where it leads: a point that
    has both is a link. `kind` decides on colour and shape.
    """

    label: str
    value: float | None
    interval: Interval | None = None
    bounds: Interval | None = None
    kind: str = "plain"
    says: str = ""
    href: str = ""


@dataclass(frozen=True)
class Line:
    """A line of (x, y) points; `look` is its class in charts.css, `shape` the mark at each point.

    `links` says of each point what is said of it and where it leads; without them the points are no links.
    """

    name: str
    points: Sequence[tuple[float, float]]
    look: str
    shape: str
    links: Sequence[tuple[str, str]] = ()


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
    left: float = 0
    above: float = TOP
    below: float = BOTTOM
    look: str = "chart"
    parts: list[str] = field(default_factory=list)
    has_links: bool = False

    def x(self, value: float) -> float:
        """Return the horizontal coordinate."""
        low, high = self.x_range
        return self.left + (value - low) / ((high - low) or 1) * (self.width - self.left - RIGHT)

    def y(self, value: float) -> float:
        """Return the vertical coordinate."""
        low, high = self.y_range
        return self.height - self.below - (value - low) / ((high - low) or 1) * (self.height - self.above - self.below)

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

    def points(self, points: Iterable[tuple[float, Point]], looks: Mapping[str, tuple[str, str]]) -> None:
        """Draw points at their places along the other axis, each as a link where words and address are given.

        `looks` gives look and shape of each `Point.kind`; a kind that is not in it is a grey dot.
        """
        bare: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for x, point in points:
            if point.value is None:
                continue
            look, shape = looks.get(point.kind, COMMON)
            if point.says:
                self.link(mark(self.x(x), self.y(point.value), look, shape), point)
            else:
                bare.setdefault((look, shape), []).append((x, point.value))
        for (look, shape), positions in bare.items():
            self.marks(positions, look, shape)

    def link(self, drawn: str, point: Point) -> None:
        """Add what is drawn of a point, as a link where words and address are given."""
        self.has_links = self.has_links or bool(point.says)
        self.parts.append(linked(drawn, point.says, point.href) if point.says else drawn)

    def text(self, x: float, y: float, words: str, anchor: str = "middle", look: str = "t") -> None:
        """Write words at coordinates."""
        self.parts.append(
            f'<text class="{look} a-{anchor}" x="{coordinate(x)}" y="{coordinate(y)}">{escape(words)}</text>'
        )

    def name(self, x: float, y: float, words: str, room: float) -> None:
        """Write a name that ends at a place, cut to its room; charts.css shows a shorter one on a narrow screen."""
        wide, narrow = (int(room / width) for width in (CHARACTER, NARROW_CHARACTER))
        if len(words) <= narrow:
            self.text(x, y, words, "end")
            return
        self.text(x, y, shortened(words, wide), "end", "t mid")
        self.text(x, y, shortened(words, narrow), "end", "t narrow-only")

    def y_axis(self, ticks: Sequence[float], unit: str) -> None:
        """Draw horizontal grid lines with their values, and the unit above them."""
        right = self.width - RIGHT
        grid = "".join(f"M{coordinate(self.left)} {coordinate(self.y(tick))}H{coordinate(right)}" for tick in ticks)
        self.parts.append(f'<path class="grid" d="{grid}"/>')
        for tick in ticks:
            self.text(self.left - 6, self.y(tick) + 4, tick_text(tick), "end")
        if unit:
            self.text(2, 12, unit, "start", "t small")

    def x_labels(self, labels: Sequence[tuple[float, str]]) -> None:
        """Write evenly spaced labels under the plot: the last, and as many before it as have room.

        On a narrow screen, where letters are larger, charts.css hides those of class `mid`.
        """
        if not labels:
            return
        longest = max(len(label) for _, label in labels)
        space = abs(self.x(labels[-1][0]) - self.x(labels[0][0])) / max(len(labels) - 1, 1) or 1.0
        step = math.ceil((longest * CHARACTER + 6) / space)
        narrow_step = step * math.ceil((longest * NARROW_CHARACTER + 6) / (step * space))
        for place, (value, label) in enumerate(reversed(labels)):
            if place % step == 0:
                half = len(label) * NARROW_CHARACTER / 2
                at = max(min(self.x(value), self.width - half), half)
                self.text(at, self.height - self.below + 19, label, look="t" if place % narrow_step == 0 else "t mid")

    def svg(self, words: str) -> Markup:
        """Return the picture; `words` is its text alternative. With links in it, it is a group and not one image."""
        role = "group" if self.has_links else "img"
        return Markup(  # noqa: S704 - made of numbers and of text that is escaped here
            f'<svg class="{self.look}" viewBox="0 0 {coordinate(self.width)} {coordinate(self.height)}" role="{role}" '
            f'aria-label="{escape(words)}">{"".join(self.parts)}</svg>'
        )


def room_for(ticks: Sequence[float]) -> float:
    """Return how much room the values of an axis need on its left, letters as large as on a narrow screen."""
    return max(len(tick_text(tick)) for tick in ticks) * NARROW_CHARACTER + 8


SHAPES: dict[str, str] = {
    "square": "m-4 -4h8v8h-8z",
    "diamond": "m0 -6l6 6l-6 6l-6 -6z",
    "triangle": "m0 -6l5.5 10h-11z",
    "inverted": "m0 6l5.5 -10h-11z",
    "cross": "m-4 -4l8 8m0 -8l-8 8",
    "bar": "m-11 -4h22v8h-22z",
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


def mark(x: float, y: float, look: str, shape: str) -> str:
    """Return the mark of one value at its coordinates."""
    if shape == "dot":
        return f'<circle class="dot {look}" cx="{coordinate(x)}" cy="{coordinate(y)}" r="3"/>'
    return marks_path([(x, y)], look, shape)


def linked(drawn: str, says: str, href: str) -> str:
    """Return a link around what is drawn; charts.js shows `says` beside it."""
    return f'<a href="{escape(href)}" aria-label="{escape(says)}">{drawn}</a>'


def shortened(text: str, most: int) -> str:
    """Return a text of at most so many characters."""
    return text if len(text) <= most else text[: max(most - 1, 1)].rstrip() + "…"
