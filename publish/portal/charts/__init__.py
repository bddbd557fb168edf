"""Pictures as inline SVG: trajectory, trend, SPC, funnel, ranking, convergence of themes; one look everywhere.

Nothing here computes: positions come from numbers that ship, and what does not ship (a masked cell, a withheld
denominator) is not handed in and so cannot be read off a coordinate. Colours and strokes are classes of portal.css
(the pages' Content-Security-Policy allows no inline style); every meaning has a shape beside its colour. A picture has
a text alternative; the table with its numbers stands beside it on the page.
"""

from publish.portal.charts.comparisons import LOOK_OF_COMPARISON, caterpillar, funnel, ranked
from publish.portal.charts.keys import KEYS
from publish.portal.charts.over_time import SPC_LOOKS, spc, trajectory, trend
from publish.portal.charts.plot import Limits, Line, Point, nice_ticks
from publish.portal.charts.small import key, spark, whisker
from publish.portal.charts.theme_matrix import matrix

__all__ = [
    "KEYS",
    "LOOK_OF_COMPARISON",
    "SPC_LOOKS",
    "Limits",
    "Line",
    "Point",
    "caterpillar",
    "funnel",
    "key",
    "matrix",
    "nice_ticks",
    "ranked",
    "spark",
    "spc",
    "trajectory",
    "trend",
    "whisker",
]
