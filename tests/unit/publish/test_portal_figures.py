"""The pictures of an organisation: spine, small multiples, SPC icons; words of points; numbers as in the marts."""

from datetime import date
from pathlib import Path

import duckdb
import made_up
import pytest
from lxml import html

from publish import portal
from publish.portal import points, reader
from publish.portal.model import Edition, Facts


def rows_of(made: made_up.MadeUp, mart: str, code: str, indicator: str) -> list[dict[str, object]]:
    column = "trust_code" if mart == "trust_indicator" else "lms_code"
    return [row for row in made.rows["marts", mart] if row[column] == code and row["indicator_id"] == indicator]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = made_up.make()
    for row in made.rows["marts", "trust_indicator"]:
        if (
            row["indicator_id"] == "apgar_below_7"
            and row["trust_code"] == "R04"
            and row["period_end"] == date(2026, 3, 31)
        ):
            row |= {"value": 99.0, "usage_warnings": ["implausible"]}
    made.add("reference", "usage_warning", usage_warning="implausible", kind="fault", says="Not believable")
    return made.write(tmp_path_factory.mktemp("figures") / "edition.duckdb")


@pytest.fixture(scope="module")
def edition(database: Path) -> Edition:
    with duckdb.connect(str(database), read_only=True) as connection:
        return reader.read(connection, Facts("one", "2026-11-23T00:00:00+00:00", True))


@pytest.fixture(scope="module")
def folder(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pages") / "portal"
    portal.write(database, out, Facts("one", "2026-11-23T00:00:00+00:00", True))
    return out


def figure(folder: Path, page: str, heading: str) -> html.HtmlElement:
    [found] = html.parse(folder / page).xpath(f"//figure[contains(figcaption, '{heading}')]")
    return found


def test_the_spread_is_that_of_the_newest_values_that_can_be_believed(edition: Edition, database: Path) -> None:
    spread = edition.spreads["trust", "apgar_below_7", "msds"]
    with duckdb.connect(str(database), read_only=True) as connection:
        [expected] = connection.execute(
            "select min(value), quantile_cont(value, 0.25), quantile_cont(value, 0.75), max(value), count(*) "
            "from marts.trust_indicator where indicator_id = 'apgar_below_7' and period_end = date '2026-03-31' "
            "and not list_contains(usage_warnings, 'implausible')"
        ).fetchall()
    names = ("lowest", "lower_quartile", "upper_quartile", "highest", "organisations")
    assert tuple(spread[name] for name in names) == pytest.approx(expected)
    assert spread["highest"] < 99
    assert spread["highest_code"] == "R02"


def test_the_spine_gives_here_england_and_the_ends_with_their_names(folder: Path) -> None:
    spine = figure(folder, "trust/R02.html", "Key indicators beside all trusts")
    links = {link.get("aria-label"): link.get("href") for link in spine.xpath(".//*[local-name()='a'][@aria-label]")}
    [own] = [words for words in links if words.startswith("Apgar score below 7: ")]
    assert "Mar 2026; similar (publisher’s verdict)" in own
    assert links[own] == "../indicator/apgar_below_7.html"
    [highest] = [words for words in links if "Mar 2026; highest of 5; " in words]
    assert highest.startswith("Middle Shire, Apgar score below 7: ")
    assert links[highest] == "../trust/R02.html"
    # what the verdict compares with: England's own 2.5% holds the value that is not believable
    assert any(
        words.startswith("England without values that are not believable, Apgar below 7: 2.2%") for words in links
    )
    [row] = [row for row in spine.xpath(".//tbody/tr") if "Apgar" in row.text_content()]
    assert [cell.text_content() for cell in row][2] == "2.2%"


def test_the_spine_leaves_out_what_cannot_be_believed(folder: Path) -> None:
    """R04's 99% is no point beside England; its other indicators are."""
    spine = figure(folder, "trust/R04.html", "Key indicators beside all trusts")
    said = [*spine.xpath(".//@aria-label"), *(row.text_content() for row in spine.xpath(".//tbody/tr"))]
    assert any("Stillbirth" in words for words in said)
    assert not [words for words in said if "Apgar" in words or "99" in words]


def test_there_is_no_spine_among_three(folder: Path) -> None:
    """Quartiles of three LMSs say nothing."""
    assert not html.parse(folder / "lms/QAA.html").xpath("//figcaption[contains(., 'beside all local')]")


def test_trends_are_small_multiples_where_there_are_several_else_one_chart(folder: Path) -> None:
    page = html.parse(folder / "trust/R02.html")
    charts = page.xpath("//figure[contains(figcaption, 'Stillbirth rate: MBRRACE')]//*[local-name()='svg']")
    assert charts
    labels = page.xpath("//figure[contains(figcaption, 'Stillbirth rate: MBRRACE')]//*[local-name()='a'][@aria-label]")
    said = [link.get("aria-label") for link in labels]
    assert [words.split(", ")[-1][:4] for words in said] == ["2020", "2021", "2022", "2023", "2024"]
    assert all("95% interval" in words for words in said)


def test_the_icons_say_variation_and_assurance_in_words(folder: Path) -> None:
    page = html.parse(folder / "lms/QAA.html")
    [table] = page.xpath("//table[contains(@class, 'icons')]")
    heads = [head.text_content() for head in table.xpath(".//thead//th")]
    assert heads == ["Indicator", "Whole LMS", *heads[2:-1], "England"]
    said = [link.get("aria-label") for link in table.xpath(".//td/a")]
    [concern] = [words for words in said if "of concern" in words]
    assert "Middle Shire" in concern
    assert "special cause, of concern, higher values; target hit and missed at random" in concern
    assert sum("common cause" in words for words in said) == 2
    drawings = {use.get("href") for use in table.xpath(".//*[local-name()='use']")}
    symbols = {f"#{symbol.get('id')}" for symbol in page.xpath("//*[local-name()='symbol']")}
    assert drawings <= symbols
    assert {"#icon-concern-high", "#icon-common", "#icon-hit-or-miss"} <= drawings


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("The Leeds Teaching Hospitals NHS Trust", "Leeds"),
        ("University Hospitals of Leicester NHS Trust", "Leicester"),
        ("Manchester University NHS Foundation Trust", "Manchester"),
        ("Liverpool Women's NHS Foundation Trust", "Liverpool Women's"),
        ("NHS Trust", "NHS Trust"),
    ],
)
def test_a_trust_is_labelled_by_the_words_that_tell_it_apart(name: str, label: str) -> None:
    assert points.label_of(name) == label


def test_a_masked_period_has_no_point_to_stop_at() -> None:
    row = dict.fromkeys(("value", "lower", "upper", "min", "max", "verdict", "comparison"), None) | {"withheld": False}
    year = {"period_label": "2024", "period_end": date(2024, 12, 31), "months_covered": 12}
    masked = points.of_series(row | year, "Far Shire", "per 1,000", "release/x.html")
    assert (masked.value, masked.says) == (None, "")
    window = {"period_label": "2025-04", "period_end": date(2025, 4, 30), "months_covered": 3, "min": 1.0, "max": 2.0}
    bounded = points.of_series(row | window, "Far Shire", "%", "release/x.html")
    assert bounded.label == "3 months to Apr 2025"
    assert bounded.says == "Far Shire: between 1.0 and 2.0%, 3 months to Apr 2025; not compared"
    assert bounded.href == "../release/x.html"
