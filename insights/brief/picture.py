"""The one picture of the briefing: where the LMSs stand on an indicator, as inline SVG.

Nothing is computed here but places on the page. Looks are classes of brief.css: the page's policy allows no inline
style. Meaning never rests on colour alone: England is a broken line, the LMS that a briefing is
for a diamond, both with their names.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, LEFT, RIGHT = 680, 12, 668
NAMES = 16  # height of the line of names above the dots
DOT = 4.2
ROWS = 6  # dots that stand above each other; more lie on the topmost


@dataclass(frozen=True)
class Spot:
    """One LMS: name, value, and whether the briefing is for it."""

    name: str
    value: float
    is_own: bool = False


def strip(spots: Sequence[Spot], england: float | None, says: str) -> Markup:
    """Draw a dot for each LMS along one axis, stacked where they would touch, with a line at England's value."""
    values = [spot.value for spot in spots] + ([england] if england is not None else [])
    low, high, ticks = _axis(min(values), max(values))

    def place(number: float) -> float:
        return LEFT + (number - low) / (high - low) * (RIGHT - LEFT)

    stacked = _stacked(spots, place)
    own = next((item for item in stacked if item[0].is_own), None)
    top = NAMES * ((own is not None) + (england is not None)) + 4
    axis = top + (max(row for _, _, row in stacked) + 1) * 2 * DOT + 5
    parts = _scale(ticks, place, axis)
    if england is not None:
        parts += _named("England", place(england), NAMES - 4, axis, "england")
    if own:
        parts += _named(own[0].name, own[1], top - 8, axis, "lead")
    for spot, x, row in stacked:
        parts.append(_mark(spot, x, axis - 3 - DOT - row * 2 * DOT))
    height = axis + 18
    drawn = "".join(parts)
    return Markup(  # noqa: S704 - built from numbers and escaped names
        f'<svg viewBox="0 0 {WIDTH} {height:.1f}" role="img" aria-label="{escape(says)}">{drawn}</svg>'
    )


def _scale(ticks: Sequence[float], place: Callable[[float], float], axis: float) -> list[str]:
    parts = [f'<line class="axis" x1="{LEFT}" y1="{axis:.1f}" x2="{RIGHT}" y2="{axis:.1f}"/>']
    for tick in ticks:
        x = place(tick)
        anchor = "start" if x < LEFT + 8 else "end" if x > RIGHT - 8 else "middle"
        parts.append(f'<line class="axis" x1="{x:.1f}" y1="{axis:.1f}" x2="{x:.1f}" y2="{axis + 4:.1f}"/>')
        parts.append(
            f'<text class="tick" x="{x:.1f}" y="{axis + 16:.1f}" text-anchor="{anchor}">{_number(tick)}</text>'
        )
    return parts


def _named(name: str, x: float, y: float, axis: float, look: str) -> list[str]:
    """Draw a line down to the axis with a name at its top, on the side that has room."""
    anchor, shift = ("end", -4) if x > (LEFT + RIGHT) / 2 else ("start", 4)
    return [
        f'<line class="{look}" x1="{x:.1f}" y1="{y - 9:.1f}" x2="{x:.1f}" y2="{axis:.1f}"/>',
        f'<text class="name" x="{x + shift:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(name)}</text>',
    ]


def _stacked(spots: Sequence[Spot], place: Callable[[float], float]) -> list[tuple[Spot, float, int]]:
    """Give each spot its place along the axis and the lowest row in which it touches no other."""
    stacked: list[tuple[Spot, float, int]] = []
    for spot in sorted(spots, key=lambda spot: (spot.value, spot.name)):
        x = place(spot.value)
        near = {row for _, at, row in stacked if abs(x - at) <= 2 * DOT}
        stacked.append((spot, x, next((row for row in range(ROWS) if row not in near), ROWS - 1)))
    return stacked


def _mark(spot: Spot, x: float, y: float) -> str:
    title = f"<title>{escape(spot.name)}</title>"
    if spot.is_own:
        return f'<path class="own" d="M{x:.1f} {y - 6.5:.1f}l6.5 6.5-6.5 6.5-6.5-6.5z">{title}</path>'
    return f'<circle class="lms" cx="{x:.1f}" cy="{y:.1f}" r="{DOT}">{title}</circle>'


def _axis(low: float, high: float) -> tuple[float, float, list[float]]:
    """Return round ends and ticks around the values."""
    if high <= low:
        low, high = low - 0.5, high + 0.5
    power = 10.0 ** math.floor(math.log10((high - low) / 5))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= (high - low) / 5 * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [round(index * step, 9) for index in range(first, last + 1)]
    return ticks[0], ticks[-1], ticks


def _number(value: float) -> str:
    return f"{value:,.4f}".rstrip("0").rstrip(".")
