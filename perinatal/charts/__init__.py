"""Pictures as inline SVG, one drawing code for pages and briefings; one look everywhere (charts.css).

Nothing here computes: positions come from numbers that ship, and what does not ship (a masked cell, a withheld
denominator) is not handed in and so cannot be read off a coordinate. Colours and strokes are classes of charts.css
(the pages' Content-Security-Policy allows no inline style); every meaning has a shape beside its colour. A point may be
a link that says what it is. A picture has a text alternative; the table with its numbers stands beside it on the page.
"""

from pathlib import Path

from perinatal.charts.comparisons import LOOK_OF_COMPARISON, caterpillar, ranked
from perinatal.charts.funnel import Funnel
from perinatal.charts.icons import icon, sprite
from perinatal.charts.keys import KEYS
from perinatal.charts.over_time import SPC_LOOKS, multiple, spc, trajectory, trend
from perinatal.charts.plot import Interval, Limits, Line, Point, nice_ticks
from perinatal.charts.small import key, spark, whisker
from perinatal.charts.spine import SpineRow, spine
from perinatal.charts.strip import strip
from perinatal.charts.theme_matrix import ThemeRow, matrix

STYLE = Path(__file__).parent / "charts.css"

__all__ = [
    "KEYS",
    "LOOK_OF_COMPARISON",
    "SPC_LOOKS",
    "STYLE",
    "Funnel",
    "Interval",
    "Limits",
    "Line",
    "Point",
    "SpineRow",
    "ThemeRow",
    "caterpillar",
    "icon",
    "key",
    "matrix",
    "multiple",
    "nice_ticks",
    "ranked",
    "spark",
    "spc",
    "spine",
    "sprite",
    "strip",
    "trajectory",
    "trend",
    "whisker",
]
