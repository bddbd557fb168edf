"""The picture of which body names which theme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from perinatal.charts.plot import NARROW_CHARACTER, WIDTH, Plot, Point, coordinate

NAMES, ROW, WIDEST = 206, 21, 48  # room for the themes' names, height of a row, most width of a column
LONGEST_HEAD = 20


@dataclass(frozen=True)
class ThemeRow:
    """A theme: its name, one (findings, named in a published report, point) a body, and how many bodies stress it.

    A body without findings that does not name the theme has no mark; the point says what the mark stands for.
    """

    name: str
    cells: Sequence[tuple[int, bool, Point]]
    bodies: int


def matrix(rows: Sequence[ThemeRow], columns: Sequence[str], last: str, words: str) -> Markup:
    """Draw which body names which theme: a square with the number of findings, a diamond where it is published."""
    heads = [*columns, last]
    width = min((WIDTH - NAMES) / len(heads), WIDEST)
    middles = [NAMES + width * (index + 0.5) for index in range(len(heads))]
    above = min(max(map(len, heads)), LONGEST_HEAD) * NARROW_CHARACTER + 8
    plot = Plot(NAMES + width * len(heads), above + ROW * len(rows) + 6, (0, 1), (0, 1), look="chart rows")
    for x, head in zip(middles, heads, strict=True):
        at = f"{coordinate(x + 4)} {coordinate(above - 6)}"
        plot.parts.append(f'<text class="t small" transform="translate({at}) rotate(-90)">{escape(head)}</text>')
    grid = "".join(f"M0 {coordinate(above + ROW * index)}H{coordinate(plot.width)}" for index in range(len(rows) + 1))
    plot.parts.append(f'<path class="grid" d="{grid}"/>')
    for index, row in enumerate(rows):
        middle = above + ROW * (index + 0.5)
        plot.name(NAMES - 8, middle + 4, row.name, NAMES - 10)
        for x, (findings, published, point) in zip(middles, row.cells, strict=False):
            if findings or published:
                plot.link(_cell(x, middle, width, findings, published), point)
        plot.text(middles[-1], middle + 4, str(row.bodies), look="t strong")
    return plot.svg(words)


def _cell(x: float, y: float, width: float, findings: int, published: bool) -> str:
    box = min(width - 4, 30)
    drawn = ""
    if findings:
        left, top = coordinate(x - box / 2), coordinate(y - 7.5)
        drawn += f'<path class="cell" d="M{left} {top}h{coordinate(box)}v15h{coordinate(-box)}z"/>'
    if published:
        at = f"{coordinate(x + box / 2 * bool(findings))} {coordinate(y - 4)}"
        drawn += f'<path class="published" d="M{at}l4 4l-4 4l-4 -4z"/>'
    if findings:
        drawn += f'<text class="t on a-middle" x="{coordinate(x)}" y="{coordinate(y + 4)}">{findings}</text>'
    return drawn
