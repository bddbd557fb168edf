"""The picture of which source names which theme."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from perinatal.charts.plot import CHARACTER, Plot, coordinate, shortened


def matrix(
    rows: Sequence[tuple[str, Sequence[tuple[int, bool]], int]], columns: Sequence[str], last: str, words: str
) -> Markup:
    """Draw which source names which theme: a square with the number of findings, a diamond where it is published.

    Each row is a label, one (findings, named in a published report) a column, and the number under the heading `last`.
    """
    row, left, above, size = 21, 280, 50, 15
    heads = [name.split(" ") for name in (*columns, last)]
    widths = [max(42, CHARACTER * max(map(len, lines)) + 6) for lines in heads]
    middles = [left + sum(widths[:index]) + width / 2 for index, width in enumerate(widths)]
    plot = Plot(left + sum(widths), above + row * len(rows) + 6, (0, 1), (0, 1))
    for x, lines in zip(middles, heads, strict=True):
        for line, word in enumerate(reversed(lines)):
            plot.text(x, above - 8 - 13 * line, word, look="t small")
    grid = "".join(f"M0 {above + row * index}H{coordinate(plot.width)}" for index in range(len(rows) + 1))
    plot.parts.append(f'<path class="grid" d="{grid}"/>')
    looks: dict[str, list[str]] = {"cell": [], "published": []}
    for index, (label, cells, _) in enumerate(rows):
        middle = above + row * (index + 0.5)
        plot.text(left - 8, middle + 4, shortened(label, int((left - 14) / CHARACTER)), "end")
        for x, (findings, published) in zip(middles, cells, strict=False):
            if findings:
                looks["cell"].append(f"M{coordinate(x - 15)} {coordinate(middle - size / 2)}h30v{size}h-30z")
            if published:
                looks["published"].append(
                    f"M{coordinate(x + 18 * bool(findings))} {coordinate(middle - 4)}l4 4l-4 4l-4 -4z"
                )
    plot.parts += [f'<path class="{look}" d="{"".join(drawn)}"/>' for look, drawn in looks.items() if drawn]
    for index, (_, cells, number) in enumerate(rows):
        middle = above + row * (index + 0.5)
        for x, (findings, _) in zip(middles, cells, strict=False):
            if findings:
                plot.text(x, middle + 4, str(findings), look="t on")
        plot.text(middles[-1], middle + 4, str(number), look="t strong")
    return plot.svg(words)
