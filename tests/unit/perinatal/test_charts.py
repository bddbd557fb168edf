"""Pictures: round axes, gaps that stay gaps, nothing drawn that is not given, all text escaped."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from perinatal import charts
from perinatal.charts import Limits, Line, Point, SpineRow, ThemeRow

FINITE = st.floats(-1e6, 1e6, allow_nan=False)
LINKED = Point("<i>", 4.0, says='<b>: 4.0 "per" 1,000', href='../x.html?"<')
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
        charts.trend([LINKED], [None], "<u>", '"><script>'),
        charts.multiple([LINKED, Point("<b>", 2.0)], [None, 1.0], '"><script>'),
        charts.strip([LINKED, Point("<b>", 1.0, kind="own")], 1.0, '"><script>'),
        charts.spc([Point("<b>", 1.0)], (0.5, 1.0, 1.5), 1.2, "<u>", '"><script>'),
        charts.ranked([Point("<b>&", 1.0, (0.5, 2))], 1.0, "<u>", '"><script>'),
        charts.caterpillar([Point("<b>&", 1.0, (0.5, 2))], 1.0, "<u>", '"><script>'),
        charts.matrix(
            [ThemeRow("<b>", [(2, False, LINKED), (0, True, LINKED), (0, False, LINKED)], 2)],
            ["<i>", "<u> v", "none"],
            "<w>",
            '"><script>',
        ),
        charts.Funnel(LIMITS, [(900, Point("<b>", 3.0)), (1500, LINKED)], "<u>", "<x>").picture({1}, {0}, '"><script>'),
        charts.trajectory(
            Line("<t>", [(2010, 5.1), (2025, 2.5)], "l-target", "square"),
            [2010, 2025],
            [Line("<a>", [(2020, 4.0)], "l-own", "dot")],
            "<u>",
            '"><script>',
        ),
    ],
    ids=["trend", "multiple", "strip", "spc", "ranked", "caterpillar", "matrix", "funnel", "trajectory"],
)
def test_every_picture_is_well_formed_escaped_and_has_words(svg: str) -> None:
    picture = drawn(svg)
    assert picture.get("role") == ("group" if picture.find("a") is not None else "img")
    assert picture.get("aria-label") == '"><script>'
    assert {element.tag for element in picture.iter()} <= {"svg", "path", "text", "circle", "a", "title"}
    assert not re.search(r"nan|inf|style=", svg)
    for element in picture.iter():
        assert not [name for name in element.attrib if name.startswith("on")]


def test_names_of_points_do_not_cover_each_other() -> None:
    points = [(1500, Point(name, value)) for name, value in (("R01", 4.0), ("R02", 4.01), ("R03", 4.02))]
    picture = drawn(charts.Funnel(LIMITS, points, "per 1,000", "Births").picture({0, 1, 2}, (), "words"))
    places = [float(text.get("y")) for text in picture.iter("text") if (text.get("class") or "").startswith("t strong")]
    assert len(places) == 3
    ends = [(text.get("x"), text.get("class")) for text in picture.iter("text") if "strong" in text.get("class", "")]
    same_side = [place for place, end in zip(places, ends, strict=True) if end == ends[0]]
    assert all(abs(one - other) >= 17 for one, other in pairwise(sorted(same_side)))


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


def test_a_point_with_words_is_a_link_that_says_them() -> None:
    picture = drawn(charts.trend([LINKED, Point("2", 2.0)], [None, None], "%", "words"))
    [link] = picture.iter("a")
    assert link.get("aria-label") == '<b>: 4.0 "per" 1,000'
    assert link.get("href") == '../x.html?"<'
    assert [child.tag for child in link] == ["circle"]


def test_a_span_of_bounds_is_a_link_too() -> None:
    for svg in (
        charts.trend([Point("1", None, bounds=(1.0, 2.0), says="A: between 1 and 2", href="x")], [None], "%", "w"),
        charts.ranked([Point("A", None, bounds=(1.0, 2.0), says="A: between 1 and 2", href="x")], None, "%", "w"),
    ):
        [link] = drawn(svg).iter("a")
        assert [child.get("class") for child in link] == ["bounds"]


def many(count: int) -> list[tuple[float, Point]]:
    return [(100 * (place + 1), Point(f"Trust number {place}", 3 + place % 7)) for place in range(count)]


def test_a_funnel_names_marked_and_outlying_points_and_no_name_leaves_the_picture() -> None:
    funnel = charts.Funnel(LIMITS, many(20), "per 1,000", "Births")
    picture = drawn(funnel.picture({3}, {5, 12, 19}, "words"))
    named = [text.text for text in picture.iter("text") if "named" in text.get("class", "")]
    [marked] = [text.text for text in picture.iter("text") if "strong" in text.get("class", "")]
    assert marked == "Trust number 3"
    assert set(named) <= {"Trust number 5", "Trust number 12", "Trust number 19"}
    assert named
    assert [path.get("class") for path in picture.iter("path")].count("mark own") == 1
    for text in picture.iter("text"):
        width = len(text.text) * 9.0
        at, anchor = float(text.get("x")), (text.get("class") or "").split(" a-")[-1]
        left = {"start": at, "end": at - width, "middle": at - width / 2}[anchor]
        assert left >= -20, text.text
        assert left + width <= 440 + 20, text.text


def test_marking_points_leaves_the_other_pictures_of_a_funnel_as_they_are() -> None:
    funnel = charts.Funnel(LIMITS, many(8), "per 1,000", "Births")
    bare = str(funnel.picture((), (), "words"))
    funnel.picture({1, 2}, {7}, "words")
    assert str(funnel.picture((), (), "words")) == bare
    assert "mark own" not in bare


def test_labels_that_stay_on_a_narrow_screen_do_not_touch() -> None:
    points = [Point(f"Apr {2000 + place}", 1.0) for place in range(25)]
    picture = drawn(charts.trend(points, [None] * 25, "%", "words"))
    for look, width in (("t a-middle", 9.0), ("t", 6.4)):
        labels = [t for t in picture.iter("text") if (t.get("class") or "").startswith(look) and "Apr" in t.text]
        places = sorted((float(label.get("x")), len(label.text) * width / 2) for label in labels)
        assert len(places) > 1
        assert all(one + half <= other - more for (one, half), (other, more) in pairwise(places))


def spine_row(*, is_turned: bool) -> SpineRow:
    ends = Point("1.0", 1.0, says="A: 1", href="a"), Point("9.0", 9.0, says="B: 9", href="b")
    own = Point("mine", 6.0, (5.0, 8.0), kind="worse", says="<b>: 6", href="x")
    england = Point("4.0", 4.0, says="England: 4", href="e")
    return SpineRow("A <name> of an indicator", "6.0", own, england, 4.0, *ends, (3.0, 5.0), is_turned)


@pytest.mark.parametrize(("is_turned", "side"), [(False, 1), (True, -1)])
def test_a_spine_has_england_in_the_middle_and_what_is_worse_on_the_left(is_turned: bool, side: int) -> None:
    picture = drawn(charts.spine([("worse", "better", [spine_row(is_turned=is_turned)])], "words"))
    links = {link.get("aria-label"): link[0].get("d") for link in picture.iter("a")}
    assert set(links) == {"A: 1", "B: 9", "England: 4", "<b>: 6"}
    middle, own = (float(re.match(r"M([\d.]+)", links[name])[1]) for name in ("England: 4", "<b>: 6"))
    assert own - middle == pytest.approx(side * (6 - 4) / 5 * (422 - 215), abs=0.2)


def test_a_spine_of_a_value_within_bounds_draws_the_bounds() -> None:
    own = Point("mine", None, bounds=(5.0, 6.0), says="between 5 and 6", href="x")
    row = spine_row(is_turned=False)
    row = SpineRow(row.name, "5 to 6", own, row.england, 4.0, row.lowest, row.highest, row.quartiles)
    picture = drawn(charts.spine([("lower", "higher", [row])], "words"))
    [link] = [link for link in picture.iter("a") if link.get("aria-label") == "between 5 and 6"]
    assert link[0].get("class") == "bounds"


def test_icons_tell_by_letter_what_they_tell_by_colour() -> None:
    sprite = drawn(charts.sprite())
    icons = {symbol.get("id"): symbol for symbol in sprite.iter("symbol")}
    kinds = ("improve-high", "improve-low", "concern-high", "concern-low", "common", "pass", "fail", "hit-or-miss")
    for kind in kinds:
        assert f'href="#icon-{kind}"' in charts.icon(kind)
        assert f"icon-{kind}" in icons
    letters = ["".join(icons[f"icon-{kind}"].itertext()) for kind in kinds]
    assert letters == ["H", "L", "H", "L", "", "P", "F", "?"]
    uncoloured = {etree.tostring(icons[f"icon-{kind}"][0]).split(b">", 1)[1] for kind in kinds}
    assert len(uncoloured) == len(kinds)
