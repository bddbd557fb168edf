"""A funnel: England's rate with its control limits, all points, some of them marked and named.

The same funnel stands on many pages, each with other points marked: frame and points are drawn once, `picture` puts
them together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from itertools import islice

from markupsafe import Markup

from perinatal.charts.plot import (
    BOTTOM,
    NARROW_LINE,
    RIGHT,
    WIDTH,
    Limits,
    Plot,
    Point,
    linked,
    mark,
    nice_ticks,
    room_for,
    shortened,
    unbroken,
)

FUNNEL_HEIGHT = 300
LONGEST_NAME = 24
BOLD_CHARACTER = 11.0  # the marked ones are bold
MOST_NAMES = 8  # of points that lie outside the limits and are not marked
Box = tuple[float, float, float]  # left, right, base line


class Funnel:
    """The drawing of one funnel. `points` are (denominator, point); a point's `label` names it on this picture."""

    def __init__(self, limits: Limits, points: Sequence[tuple[float, Point]], unit: str, x_label: str) -> None:
        self.limits = limits
        self.points = [(x, point) for x, point in points if point.value is not None]
        self.x_label = x_label
        # the limits of tiny denominators would squeeze everything else: the axis ends a little above the points
        ceiling = max([*((point.value or 0) * 1.15 for _, point in self.points), limits.baseline[1] * 2])
        self.ticks = nice_ticks(0, ceiling)
        largest = max(limits.denominators)
        self.plot = Plot(
            WIDTH, FUNNEL_HEIGHT, (0, largest), (0, self.ticks[-1]), room_for(self.ticks), below=BOTTOM + NARROW_LINE
        )
        self.plot.has_links = any(point.says for _, point in self.points)
        self._draw_frame(unit, largest)

    def _draw_frame(self, unit: str, largest: float) -> None:
        plot, limits = self.plot, self.limits
        plot.y_axis(self.ticks, unit)
        plot.x_labels([(tick, f"{tick:,.0f}") for tick in nice_ticks(0, largest)[:-1]])
        plot.text((plot.left + WIDTH - RIGHT) / 2, FUNNEL_HEIGHT - 6, self.x_label, look="t small")
        curves = (limits.lower_998, limits.lower_95, limits.upper_95, limits.upper_998)
        for curve, look in zip(curves, ("f-998", "f-95", "f-95", "f-998"), strict=True):
            inside = [
                (x, y if y is not None and y <= self.ticks[-1] else None)
                for x, y in zip(limits.denominators, curve, strict=True)
            ]
            for run in unbroken(inside):
                plot.path(run, look)
        low, high = limits.baseline
        if high > low:
            plot.path([(0, low), (largest, low), (largest, high), (0, high)], "f-band", closed=True)
        plot.path([(0, (low + high) / 2), (largest, (low + high) / 2)], "l-mean")

    @cached_property
    def _dots(self) -> list[str]:
        """Return each point unmarked."""
        return [self._drawn(x, point, "other", "dot") for x, point in self.points]

    def _drawn(self, x: float, point: Point, look: str, shape: str) -> str:
        drawn = mark(self.plot.x(x), self.plot.y(point.value or 0), look, shape)
        return linked(drawn, point.says, point.href) if point.says else drawn

    def picture(self, marked: Collection[int], outlying: Collection[int], words: str) -> Markup:
        """Draw the funnel with some points marked and named, and the outlying ones named where there is room.

        Both are places in the list of points; what is marked lies on top.
        """
        whole = Plot(WIDTH, FUNNEL_HEIGHT, self.plot.x_range, self.plot.y_range, self.plot.left, below=self.plot.below)
        whole.has_links = self.plot.has_links
        whole.parts = [*self.plot.parts, *(dot for place, dot in enumerate(self._dots) if place not in marked)]
        whole.parts += [self._drawn(*self.points[place], "own", "diamond") for place in sorted(marked)]
        self._name(whole, marked, outlying)
        return whole.svg(words)

    def _name(self, plot: Plot, marked: Collection[int], outlying: Collection[int]) -> None:
        """Name the marked points in any case, then the outlying ones for which a place is free."""
        taken: list[Box] = []
        for place in self._from_the_top(marked):
            box = next(self._free(place, taken), None) or self._below_all(place, taken)
            self._write(plot, place, box, taken, "t strong")
        others = [place for place in self._from_the_top(outlying) if place not in marked]
        for place in others[:MOST_NAMES]:
            for box in islice(self._free(place, taken), 1):
                self._write(plot, place, box, taken, "t named")

    def _from_the_top(self, places: Collection[int]) -> list[int]:
        return sorted(places, key=lambda place: (-(self.points[place][1].value or 0), place))

    def _text(self, place: int) -> str:
        return shortened(self.points[place][1].label, LONGEST_NAME)

    def _write(self, plot: Plot, place: int, box: Box, taken: list[Box], look: str) -> None:
        taken.append(box)
        at_left = box[0] >= plot.x(self.points[place][0])
        plot.text(box[0] if at_left else box[1], box[2], self._text(place), "start" if at_left else "end", look)

    def _places(self, place: int) -> Iterator[Box]:
        """Yield where a name may stand: right of its point, left of it, a line higher or lower on either side."""
        x, point = self.points[place]
        width = len(self._text(place)) * BOLD_CHARACTER
        across, down = self.plot.x(x), self.plot.y(point.value or 0) + 4
        for line in (0, -1, 1):
            for left in (across + 8, across - 8 - width):
                if left >= 0 and left + width <= WIDTH:
                    yield left, left + width, down + line * NARROW_LINE

    def _free(self, place: int, taken: Sequence[Box]) -> Iterator[Box]:
        for left, right, base in self._places(place):
            if all(abs(base - low) >= NARROW_LINE or right <= start or left >= end for start, end, low in taken):
                yield left, right, base

    def _below_all(self, place: int, taken: Sequence[Box]) -> Box:
        """Return a place below the names that already stand; the name's width is at most half the picture's."""
        x, point = self.points[place]
        width = len(self._text(place)) * BOLD_CHARACTER
        across = self.plot.x(x)
        left = across + 8 if across + 8 + width <= WIDTH else max(across - 8 - width, 0)
        base = max([self.plot.y(point.value or 0) + 4, *(low + NARROW_LINE for _, _, low in taken)])
        return left, left + width, base
