"""Pictures: round axes, gaps that stay gaps, nothing drawn that is not given, all text escaped."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from publish.portal import charts
from publish.portal.charts import Limits, Line, Point

FINITE = st.floats(-1e6, 1e6, allow_nan=False)
LIMITS = Limits([500, 1000, 2000], [None, 0.5, 1], [0.5, 1, 1.5], [6, 5, 4], [8, 6, 5], (3.0, 3.0))


def drawn(svg: str) -> etree._Element:
    return etree.fromstring(svg)


@given(FINITE, FINITE)
@example(0.0, 5e-324)
@example(25026.0, -1e-05)
def test_ticks_hold_the_range_and_are_evenly_spaced(one: float, other: float) -> None:
    low, high = sorted((one, other))
    ticks = charts.nice_ticks(low, high)
    assert 2 <= len(ticks) <= 12
    if high - low > 1e-3:
        unseen = 1e-6 + 1e-8 * (high - low)  # far below a hair's breadth of any picture
        assert ticks[0] <= low + unseen
        assert ticks[-1] >= high - unseen
        steps = {round(after - before, 4) for before, after in pairwise(ticks)}
        assert max(steps) - min(steps) < 1e-3


def test_a_gap_is_not_bridged() -> None:
    points = [Point("1", 1.0), Point("2", 2.0), Point("3", None), Point("4", 2.0), Point("5", 1.0)]
    picture = drawn(charts.trend(points, [None] * 5, "%", "words"))
    lines = [path.get("d") for path in picture.iter("path") if path.get("class") == "l-own"]
    assert len(lines) == 2
    assert all(line.count(",") == 2 for line in lines)


def test_bounds_are_drawn_in_place_of_a_value() -> None:
    points = [Point("1", 1.0, (0.5, 1.5)), Point("2", None, bounds=(1.0, 2.0))]
    picture = drawn(charts.trend(points, [None, None], "%", "words"))
    looks = [path.get("class") for path in picture.iter("path")]
    assert looks.count("whisk") == 1
    assert looks.count("bounds") == 1


def test_a_masked_point_leaves_no_trace() -> None:
    with_it = charts.trend([Point("1", 1.0), Point("2", None)], [None, None], "%", "words")
    picture = drawn(with_it)
    [dots] = [path.get("d") for path in picture.iter("path") if (path.get("class") or "").startswith("dots")]
    assert dots.count("M") == 1


@pytest.mark.parametrize(
    "svg",
    [
        charts.trend([Point("<b>", 1.0)], [None], "<u>", '"><script>'),
        charts.spc([Point("<b>", 1.0)], (0.5, 1.0, 1.5), 1.2, "<u>", '"><script>'),
        charts.ranked([Point("<b>&", 1.0, (0.5, 2))], 1.0, "<u>", '"><script>'),
        charts.caterpillar([Point("<b>&", 1.0, (0.5, 2))], 1.0, "<u>", '"><script>'),
        charts.matrix([("<b>", [(2, False), (0, True)], 2)], ["<i>", "<u> v"], "<w>", '"><script>'),
        charts.funnel(LIMITS, [(900, 3.0)], [(1500, 4.0, "<b>")], "<u>", "<x>", '"><script>'),
        charts.trajectory(
            Line("<t>", [(2010, 5.1), (2025, 2.5)], "l-target", "square"),
            [2010, 2025],
            [Line("<a>", [(2020, 4.0)], "l-own", "dot")],
            "<u>",
            '"><script>',
        ),
    ],
    ids=["trend", "spc", "ranked", "caterpillar", "matrix", "funnel", "trajectory"],
)
def test_every_picture_is_well_formed_escaped_and_has_words(svg: str) -> None:
    picture = drawn(svg)
    assert picture.get("role") == "img"
    assert picture.get("aria-label") == '"><script>'
    assert {element.tag for element in picture.iter()} <= {"svg", "path", "text"}
    assert not re.search(r"nan|inf|style=", svg)
    for element in picture.iter():
        assert not [name for name in element.attrib if name.startswith("on")]


def test_names_of_points_do_not_cover_each_other() -> None:
    marked = [(1500, 4.0, "R01"), (1500, 4.01, "R02"), (1500, 4.02, "R03")]
    picture = drawn(charts.funnel(LIMITS, [], marked, "per 1,000", "Births", "words"))
    places = [float(text.get("y")) for text in picture.iter("text") if (text.get("class") or "").startswith("t strong")]
    assert len(places) == 3
    ordered = sorted(places)
    assert min(after - before for before, after in pairwise(ordered)) >= 13


def test_a_flat_and_an_empty_series_have_axes() -> None:
    assert "svg" in charts.trend([Point("1", 2.0), Point("2", 2.0)], [None, None], "%", "words")
    assert "svg" in charts.trend([Point("1", None)], [None], "%", "words")
    assert charts.spark([1.0]) == ""


def test_shapes_tell_what_colours_tell() -> None:
    """Better, worse and similar have different marks, so that nobody needs the colour."""
    shapes = {shape for _, shape in charts.LOOK_OF_COMPARISON.values()} | {"dot"}
    assert len(shapes) == 4
    assert charts.LOOK_OF_COMPARISON["better"][1] != charts.LOOK_OF_COMPARISON["worse"][1]
    assert len({shape for _, shape in charts.SPC_LOOKS.values()} | {"dot"}) == 4
