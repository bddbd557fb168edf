"""The pages: whole, safe, linked, honest about what is masked, and made from whatever the edition holds."""

import csv
import json
import re
from datetime import date, datetime
from pathlib import Path
from urllib.parse import urlsplit

import crawler
import made_up
import pytest
from crawler import tree
from lxml import etree

from perinatal.home import Home
from perinatal.settings import PROJECT_ROOT
from publish import portal
from publish.portal.model import Facts

FACTS = Facts("20261123T000000-madeup00", "2026-11-23T00:00:00+00:00", True, "", (made_up.FACTS,))
# tables that an edition may lack: sources and themes come and go
OPTIONAL = (
    "marts.theme",
    "marts.theme_evidence",
    "marts.theme_body",
    "marts.theme_review",
    "marts.theme_figure",
    "marts.theme_indicator",
    "marts.organisation_indicator",
    "marts.compliance",
    "core.fct_finding",
    "marts.signal",
    "marts.inequality",
    "marts.board_dashboard",
    "marts.ambition_position",
    "marts.edition_change",
    "marts.national_ambition",
    "marts.region_indicator",
    "marts.lms_indicator",
    "quality.org_completeness",
    "quality.source_health",
    "quality.check_result",
    "quality.alert",
    "reference.usage_warning",
    "reference.ambition",
    "core.ambition_trajectory",
)


def pages(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.html"))


@pytest.fixture(scope="module")
def folder(made: Path) -> Path:
    return made / "portal"


def test_there_is_a_page_for_everything(folder: Path) -> None:
    names = {path.relative_to(folder).as_posix() for path in pages(folder)}
    assert {f"lms/{code}.html" for code, _ in made_up.LMSS} < names
    assert {f"trust/{code}.html" for code, *_ in made_up.TRUSTS} < names
    assert {"indicator/stillbirth_rate.html", "indicator/apgar_below_7.html", "indicator/never_landed.html"} < names
    assert {
        "index.html",
        "lms/index.html",
        "indicator/index.html",
        "theme/index.html",
        "theme/C01.html",
        *made_up.OTHER_PAGES,
    } < names


def test_every_page_is_whole(folder: Path) -> None:
    for path in pages(folder):
        page = tree(path)
        assert page.get("lang") == "en-GB", path
        assert len(page.xpath("//h1")) == 1, path
        assert page.xpath("//title")[0].text.strip(), path
        assert page.xpath("//a[@class='skip'][@href='#main']"), path
        assert len(page.xpath("//main[@id='main']")) == 1, path
        ids = page.xpath("//@id")
        assert len(ids) == len(set(ids)), (path, sorted(i for i in ids if ids.count(i) > 1))


def test_no_page_needs_what_its_policy_forbids(folder: Path) -> None:
    for path in pages(folder):
        page = tree(path)
        [policy] = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert not page.xpath("//@style | //style | //script[not(@src)] | //iframe | //object | //embed | //base"), path
        assert not [name for name in page.xpath("//@*") if name.attrname.startswith("on")], path
        loaded = page.xpath("//script/@src | //link/@href | //img/@src | //*[local-name()='use']/@href")
        assert not [address for address in loaded if urlsplit(address).scheme or address.startswith("//")], path


def test_nothing_is_loaded_from_another_host(folder: Path) -> None:
    assert "http" not in (folder / "static" / "portal.css").read_text()
    script = (folder / "static" / "portal.js").read_text()
    assert "http" not in script
    assert "innerHTML" not in script
    assert "eval(" not in script


def test_every_link_leads_somewhere_and_every_page_is_linked(folder: Path, made: Path) -> None:
    seen, faults = crawler.crawl(made)
    assert faults == []
    assert {path.resolve() for path in pages(folder)} <= seen


def test_text_that_bites_is_shown_as_text(folder: Path) -> None:
    for path in pages(folder):
        text = path.read_text()
        assert "<script>alert" not in text, path
        assert "<b>Shire" not in text, path
    assert "&lt;script&gt;alert(&#39;name&#39;)&lt;/script&gt; &amp; Sons" in (folder / "trust/R01.html").read_text()
    lms = tree(folder / "lms/QAA.html")
    assert lms.xpath("//h1")[0].text == "North & South <b>Shire</b>"
    assert not lms.xpath("//svg//script | //svg//b")


def test_a_synthetic_edition_says_so_on_every_page(folder: Path, tmp_path: Path) -> None:
    for path in pages(folder):
        assert tree(path).xpath("//section[@class='synthetic']"), path
        assert "synthetic" in tree(path).xpath("//title")[0].text
    database = made_up.make().write(tmp_path / "real.duckdb")
    portal.write(database, tmp_path / "portal", Facts("one", "2026-11-23T00:00:00+00:00", False))
    for path in pages(tmp_path / "portal"):
        assert not tree(path).xpath("//section[@class='synthetic']"), path


def test_every_value_leads_to_its_source_in_two_clicks(folder: Path) -> None:
    for name in ("lms/QBB.html", "trust/R01.html", "indicator/stillbirth_rate.html"):
        page = tree(folder / name)
        assert page.xpath("//span[@class='v']")
        assert list(crawler.values_without_source(page)) == []
    release = tree(folder / "release/aaaaaaaaaaaa.html").text_content()
    assert "a" * 64 in release
    assert "Open Government Licence v3.0" in release
    assert "1 May 2025" in release
    assert tree(folder / "release/aaaaaaaaaaaa.html").xpath("//a[@href='https://publisher.example/data']")


def test_every_table_has_its_csv_and_every_chart_its_table_and_words(folder: Path) -> None:
    for path in pages(folder):
        page = tree(path)
        assert crawler.tables_without_csv(page) == [], path
        for chart in page.xpath("//svg[starts-with(@class, 'chart')]"):
            assert chart.get("role") == ("group" if chart.xpath(".//a") else "img")
            assert len(chart.get("aria-label")) > 40, path
            assert chart.xpath("following::table") or chart.xpath("ancestor::figure//table"), path


def test_masked_and_incomplete_values_are_said_in_words(folder: Path) -> None:
    masked = tree(folder / "trust/R03.html").text_content()
    assert "Masked" in masked
    assert "The publisher has masked the number: it is small" in masked
    incomplete = tree(folder / "lms/QAA.html").text_content()
    assert "Between 4.01 and 4.52" in incomplete
    assert "2 of 3 trusts visible" in incomplete


def test_warnings_stand_beside_values_and_are_explained(folder: Path) -> None:
    page = tree(folder / "trust/R02.html")
    assert page.xpath("//td/a[@href='#w-publisher_note']")
    [meaning] = page.xpath("//div[@id='w-publisher_note']/dd")
    assert meaning.text == f"Warning: {made_up.FORMULA}"


def test_what_stands_out_stands_first(folder: Path) -> None:
    page = tree(folder / "lms/QAA.html")
    assert page.xpath("//h2/@id")[:2] == ["who", "out"]
    items = [" ".join(item.text_content().split()) for item in page.xpath("//ul[@class='notable']/li")]
    assert len(items) == 3
    assert "Red signal" in items[0]
    assert "Middle Shire" in items[0]
    assert "Stillbirth rate: <script>alert('name')</script> & Sons (3.40 per 1,000 after adjustment" in items[1]
    assert "About 31 more a year than at the rate of similar trusts. Worse since January 2022." in items[1]
    assert "10.5%, against 2.2% in England" in items[2]
    assert "New in this edition" in items[2]
    assert "Worse since" not in items[2]  # seen in one period alone
    assert page.xpath("//ul[@class='notable']//a[@href='../trust/R01.html']")
    assert "What to do first" in page.text_content()
    assert "Nothing stands out" in tree(folder / "lms/QBB.html").text_content()


def test_an_entry_says_fewer_where_the_figure_is_below_whatever_the_catalogue_says(tmp_path: Path) -> None:
    edition = made_up.make()
    for row in edition.rows["marts", "attention"]:
        if row["indicator_id"] == "apgar_below_7":  # low is good by the catalogue; judged here by a category
            row |= {"value": 1.2 if row["level"] == "trust" else None, "excess": 40.0}
    portal.write(edition.write(tmp_path / "edition.duckdb"), tmp_path / "portal", FACTS)
    for name in ("trust/R02.html", "lms/QAA.html"):
        said = " ".join(tree(tmp_path / "portal" / name).text_content().split())
        assert "About 40 fewer a year than at England’s rate" in said


def test_less_than_one_event_a_year_is_said_in_words(tmp_path: Path) -> None:
    edition = made_up.make()
    for row in edition.rows["marts", "attention"]:
        row["excess"] = 0.4
    portal.write(edition.write(tmp_path / "edition.duckdb"), tmp_path / "portal", FACTS)
    said = " ".join(tree(tmp_path / "portal/lms/QAA.html").text_content().split())
    assert "Less than one more a year than at the rate of similar trusts" in said


def test_where_nothing_stands_out_there_is_a_next_step(folder: Path) -> None:
    for name, place in (("lms/QBB.html", "#trusts"), ("trust/R04.html", "#outcomes")):
        page = tree(folder / name)
        assert page.xpath(f"//p[@class='next']/a[@href='{place}']")
        assert page.xpath(f"//*[@id='{place[1:]}']")


def test_an_entry_says_whether_its_data_carry_a_warning(folder: Path) -> None:
    lms = [
        " ".join(item.text_content().split())
        for item in tree(folder / "lms/QAA.html").xpath("//ul[@class='notable']/li")
    ]
    assert "Data warning: publisher note" in lms[1]
    assert "No data warning" in lms[2]


def test_a_warning_of_a_newer_figure_is_not_said_of_the_one_that_stands_out(tmp_path: Path) -> None:
    edition = made_up.make()
    for row in edition.rows["marts", "attention"]:
        if row["rank"] == 1:
            row |= {"period_start": date(2022, 1, 1), "period_end": date(2022, 12, 31)}
    portal.write(edition.write(tmp_path / "edition.duckdb"), tmp_path / "portal", FACTS)
    entry = tree(tmp_path / "portal/lms/QAA.html").xpath("//ul[@class='notable']/li")[1].text_content()
    assert "No data warning" in entry
    assert "The newer figures of 2024 have a data warning: " in entry


def test_a_warning_of_another_indicator_of_the_same_thing_is_said_too(tmp_path: Path) -> None:
    """A year stands out by its own definition; the newer month has another."""
    edition = made_up.make()
    [newest] = [
        row
        for row in edition.rows["marts", "trust_indicator"]
        if (row["trust_code"], row["indicator_id"], row["period_label"]) == ("R01", "stillbirth_rate", "2024")
        and row["breakdown"] == "all"
    ]
    newer = {"period_label": "2025", "period_start": date(2025, 1, 1), "period_end": date(2025, 12, 31)}
    edition.add(
        "marts",
        "trust_indicator",
        **newest | newer | {"indicator_id": "never_landed", "verdict": None, "usage_warnings": ["implausible"]},
    )
    edition.add("reference", "usage_warning", usage_warning="implausible", kind="fault", says="Not believable")
    portal.write(edition.write(tmp_path / "edition.duckdb"), tmp_path / "portal", FACTS)
    entry = tree(tmp_path / "portal/lms/QAA.html").xpath("//ul[@class='notable']/li")[1].text_content()
    assert "The newer figures of 2025 have a data warning: implausible" in entry


def test_an_area_without_some_of_its_trusts_says_so_and_is_not_compared(tmp_path: Path) -> None:
    edition = made_up.make()
    for row in edition.rows["marts", "lms_indicator"]:
        if (row["lms_code"], row["indicator_id"], row["breakdown"]) == ("QCC", "stillbirth_rate", "all"):
            row |= {"trusts_expected": 3, "trusts_reporting": 1, "is_complete": False, "verdict": None}
            row["usage_warnings"] = ["trusts_missing"]
    edition.add("reference", "usage_warning", usage_warning="trusts_missing", kind="fault", says="A part of its trusts")
    portal.write(edition.write(tmp_path / "edition.duckdb"), tmp_path / "portal", FACTS)
    page = tree(tmp_path / "portal/lms/QCC.html")
    [judged] = [
        row.xpath("./td[@class='judged']")[0].text_content()
        for row in page.xpath("//table[contains(@class, 'values')]//tr[@data-source]")
        if row.xpath("./th")[0].text_content().startswith("Stillbirth rate")
    ]
    assert "1 of 3 trusts visible" in judged
    assert "Trusts missing" in judged
    assert page.xpath("//div[@id='w-trusts_missing']")


def test_at_most_seven_things_stand_out(tmp_path: Path) -> None:
    edition = made_up.make()
    [row] = [row for row in edition.rows["marts", "attention"] if (row["level"], row["rank"]) == ("lms", 2)]
    for rank in range(3, 12):
        edition.add("marts", "attention", **row | {"rank": rank, "concept_id": f"c{rank}"})
    portal.write(edition.write(tmp_path / "edition.duckdb"), tmp_path / "portal", FACTS)
    page = tree(tmp_path / "portal/lms/QAA.html")
    assert len(page.xpath("//ul[@class='notable']/li")) == 7
    assert "Also worse: Apgar score below 7, " in page.text_content()


def test_members_of_today_stand_apart_from_closed_trusts(folder: Path) -> None:
    who = tree(folder / "lms/QCC.html").xpath("//section[@class='who']")[0]
    assert [link.text for link in who.xpath(".//ul[@class='members']//a")] == ["West Shire"]
    assert "Closed, with figures of their own: Closed Shire" in " ".join(who.text_content().split())
    grid = tree(folder / "lms/QCC.html").xpath("//table[contains(@class, 'rug')]//tbody/tr")
    assert len(grid) == 1  # no row or column of a closed trust
    missing = tree(folder / "lms/QCC.html").xpath("//section[@aria-labelledby='late']")[0].text_content()
    assert "West Shire: not in the newest yearly figures of MBRRACE" in " ".join(missing.split())


def test_outcomes_stand_before_care_before_data_quality(folder: Path) -> None:
    page = tree(folder / "trust/R01.html")
    order = [name for name in page.xpath("//h2/@id") if name in ("outcomes", "care", "quality")]
    assert order == ["outcomes", "care", "quality"]
    assert page.xpath("//details[@data-topic='Deaths'][@open]//tr[@data-verdict='worse'][@data-period='2024']")
    assert page.xpath("//script[@src='../static/filter.js']")


def test_recording_measures_have_a_page_of_their_own(folder: Path) -> None:
    for name in ("trust/R01.html", "lms/QAA.html"):
        page = tree(folder / name)
        assert "check 02" not in page.text_content()
        assert page.xpath("//a[@href='../recording/QAA.html']")
    [row] = tree(folder / "recording/QAA.html").xpath("//tbody/tr[contains(., 'Check 02')]")
    assert [cell.text_content().strip() for cell in row.xpath("td")][:3] == ["95.0"] * 3


def test_the_overview_says_each_verdict_in_shape_and_words(folder: Path) -> None:
    trusts = tree(folder / "overview/trusts.html")
    [row] = trusts.xpath("//tbody/tr[contains(., 'Sons')]")
    cells = [(cell.get("class"), " ".join(cell.text_content().split())) for cell in row.xpath("td")]
    assert cells[0] == ("n c-worse", "3.40 adjusted, worse crude 11.25")
    [row] = tree(folder / "overview/lms.html").xpath("//tbody/tr[contains(., 'North')]")
    cells = [(cell.get("class"), " ".join(cell.text_content().split())) for cell in row.xpath("td")]
    assert cells[1] == ("n c-worse", "1 of 2 worse 1 of 2 trusts worse")
    assert (folder / "static/portal.css").read_text().count("::before") > 5


def test_the_map_has_a_tile_and_a_row_for_each_lms(folder: Path) -> None:
    page = tree(folder / "map/stillbirth_rate-mbrrace.html")
    assert len(page.xpath("//ul[@class='tiles']/li")) == len(made_up.LMSS)
    assert len(page.xpath("//table//tbody/tr")) == len(made_up.LMSS)
    assert "Between 4.01 and 4.52" in page.xpath("//tbody/tr[contains(., 'North')]")[0].text_content()
    assert list(crawler.values_without_source(page)) == []


def test_the_map_knows_all_44_lmss_once() -> None:
    from publish.portal.tile_map import places

    found = [(row, column) for row, column, _ in places().values()]
    assert len(found) == len(set(found)) == 44


def test_counts_are_not_drawn_beside_england(tmp_path: Path) -> None:
    edition = made_up.make()
    edition.add("core", "dim_indicator", indicator_id="msds_total_babies", indicator_name="Total babies",
                statistic="count", unit="babies", polarity="none", source_id="msds", concept_id="b")  # fmt: skip
    for mart, who in (
        ("lms_indicator", {"lms_code": "QAA", "lms_name": "x"}),
        ("england_indicator", {}),
    ):
        edition.add("marts", mart, **made_up.value_row(
            indicator_id="msds_total_babies", indicator_name="Total babies", source_id="msds", unit="babies",
            period_label="2023-24", period_start=date(2023, 4, 1), period_end=date(2024, 3, 31), value=5000.0,
            comparator_value=600000.0, verdict=None, release_key=made_up.MONTHLY, **who))  # fmt: skip
    portal.write(edition.write(tmp_path / "edition.duckdb"), tmp_path / "portal", FACTS)
    page = tree(tmp_path / "portal/lms/QAA.html")
    [row] = page.xpath("//tr[contains(., 'Total babies')]")
    assert "600" not in row.text_content()
    assert not row.xpath(".//svg[@class='whisker']")
    assert "5,000 births in 2023-24" in " ".join(page.xpath("//section[@class='who']")[0].text_content().split())


def test_alerts_of_one_rule_stand_in_one_row_with_their_releases(tmp_path: Path) -> None:
    edition = made_up.make()
    for number, key in enumerate((None, made_up.RELEASE)):
        edition.add(
            "quality", "alert", alert_id=f"again-{number}", state="open", rule="same_rule", severity="warn",
            message="The same", opened_at=datetime(2026, 1, 1), last_seen_at=datetime(2026, 1, 2), release_key=key,
            times_seen=1, scope="release" if key else "arrival/" + made_up.MONTHLY.rsplit("/", 1)[0],
        )  # fmt: skip
    portal.write(edition.write(tmp_path / "edition.duckdb"), tmp_path / "portal", FACTS)
    rows = tree(tmp_path / "portal/quality.html").xpath("//table[caption='Open alerts']//tr[contains(., 'same_rule')]")
    assert len(rows) == 1
    assert "2 times" in rows[0].text_content()
    assert len(rows[0].xpath(".//a[contains(@href, 'release/')]")) == 2


def test_what_only_networks_or_statuses_tell_is_not_called_missing(tmp_path: Path) -> None:
    edition = made_up.make()
    edition.add(
        "marts", "organisation_indicator", level="network", organisation_code="N1", organisation_name="Shire <Network>",
        indicator_id="never_landed", source_id="mbrrace", period_label="2024", period_start=date(2024, 1, 1),
        period_end=date(2024, 12, 31), unit="%", value=51.3, numerator=218, denominator=425, breakdown="all",
        is_suppressed=False, usage_warnings=[], release_key=made_up.RELEASE,
    )  # fmt: skip
    for code, status in (("R01", "Fail"), ("R02", "Pass"), ("R03", "Pass")):
        edition.add(
            "marts", "compliance", level="trust", organisation_code=code, standard="never_landed", source_id="mbrrace",
            publisher_status=status, period_label="2024", period_start=date(2024, 1, 1), period_end=date(2024, 12, 31),
            release_key=made_up.RELEASE,
        )  # fmt: skip
    portal.write(edition.write(tmp_path / "edition.duckdb"), tmp_path / "portal", FACTS)
    page = tree(tmp_path / "portal/indicator/never_landed.html")
    assert "No release in this edition" not in page.text_content()
    assert "51.3" in page.xpath("//tr[contains(., 'Shire <Network>')]")[0].text_content()
    results = page.xpath("//table[caption='Results']/tbody/tr")
    assert [[cell.text_content() for cell in row.xpath("*[position() < 4]")] for row in results] == [
        ["Pass", "Trust", "2"],
        ["Fail", "Trust", "1"],
    ]


def test_themes_stand_in_order_with_their_evidence(folder: Path) -> None:
    index = tree(folder / "theme/index.html")
    assert [link.text for link in index.xpath("//table//th/a")] == ["Fetal monitoring <CTG>", made_up.FORMULA]
    page = tree(folder / "theme/C01.html")
    quote = page.xpath("//blockquote")[0]
    assert quote.text_content() == f"The {made_up.SCRIPT} was late <again>"
    assert quote.xpath("mark")[0].text == "was late"
    assert page.xpath("//tr[contains(., '92 <cases>')]//a[@href='https://reports.example/figure']")
    assert page.xpath("//table[caption='Newest figures of the indicators']//a[contains(@href, 'release/bbbb')]")
    picture = index.xpath("//svg[starts-with(@class, 'chart')]")[0]
    assert [text.text for text in picture.iter("{*}text") if text.get("class").startswith("t small")] == [
        "Coroner <PFD>",
        "HSIB/MNSI",
        "Bodies",
    ]
    parts = page.xpath("//table[starts-with(caption, 'Parts of the score')]")[0].text_content()
    assert "HSIB/MNSI 2021/22: of <cases>, 49.0% (95% interval 39.0 to 59.0)" in parts
    assert page.xpath("//table[starts-with(caption, 'How much more')]//td[.='+1.4']")
    assert page.xpath("//dt[.='Stressed by']/following-sibling::dd")[0].text == "1 body: HSIB/MNSI"
    other = tree(folder / "theme/S02.html")
    assert "no linked indicator judges trusts" in other.text_content()
    assert page.xpath("//a[@href='https://reports.example/1']")
    assert not page.xpath("//a[starts-with(@href, 'javascript')]")
    said = " ".join(page.text_content().split())
    assert "Coded by rule (score 0.80), seen by nobody yet" in said
    assert "Confirmed by 2 people, 3 November 2026; reviewers do not agree" in said
    assert said.index("Confirmed by 2 people") < said.index("Coded by rule")  # what people said stands first
    assert "decided on 3 codes of this theme, 2 of them by two or more, who agree at κ 0.50; not agreed: 1" in said


def test_a_verdict_on_the_adjusted_rate_never_stands_beside_the_crude_one_alone(folder: Path) -> None:
    """R01 is worse by MBRRACE-UK's adjusted rate of 3.40; 11.25 is what was counted."""
    said = "11.25"
    for page in ("overview/trusts", "lms/QAA"):
        [cell] = tree(folder / f"{page}.html").xpath(f"//table[contains(@class, 'rug')]//td[contains(., '{said}')]")
        assert cell.text == "3.40", page
        assert cell.xpath("span[@class='sub']")[0].text == f"crude {said}"
        assert "c-worse" in cell.get("class")
    trust = tree(folder / "trust/R01.html")
    [row] = trust.xpath("//table[starts-with(caption, 'Board dashboard')]/tbody/tr")
    value, adjusted = row.xpath("td")[1:3]
    assert value.text.startswith(said)
    assert (adjusted.text, adjusted.xpath("span")[0].text) == ("3.40", "3.00 to 4.00")
    assert "verdict and position rest on it" in " ".join(trust.text_content().split())
    ranking = tree(folder / "indicator/stillbirth_rate.html").xpath(f"//tbody/tr[contains(., '{said}')]/td[1]")
    assert any("judged on the adjusted rate, 3.40" in cell.text_content() for cell in ranking)


def test_what_nobody_has_seen_in_the_source_is_no_statement_of_a_publisher(folder: Path) -> None:
    page = tree(folder / "theme/C01.html")
    assert len(page.xpath("//table[caption='Published figures']/tbody/tr")) == 1
    said = " ".join(page.text_content().split())
    assert "Remembered by somebody" not in said
    assert "Left out, since nobody has seen it in the source: 1 statement." in said
    assert not page.xpath("//a[contains(@href, 'remembered')]")


def test_a_body_has_one_name_on_the_pages_of_themes(folder: Path) -> None:
    for name in ("index", "C01", "S02"):
        text = tree(folder / f"theme/{name}.html").text_content().replace("HSIB/MNSI", "")
        assert re.findall(r"\b(?:hsib|HSIB|MNSI)\b", text) == [], name


def test_a_closed_trust_says_where_its_services_are(folder: Path) -> None:
    page = tree(folder / "trust/R07.html")
    assert "closed on 31 March 2022" in page.text_content()
    assert page.xpath("//div[@class='inset']//a[@href='R06.html']")


def test_lateness_is_said(folder: Path) -> None:
    page = tree(folder / "quality.html")
    rows = page.xpath("//table[caption='Newest release of each dataset']/tbody/tr")
    assert ["Late" in row.text_content() for row in rows] == [True, False]
    assert "Data Docs" in page.text_content()


def test_the_csv_of_a_page_holds_its_numbers(folder: Path) -> None:
    with (folder / "trust/R03.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert {row["code"] for row in rows} == {"R03"}
    masked = [row for row in rows if row["period_label"] == "2024"]
    assert [row["numerator"] + row["denominator"] + row["value"] for row in masked] == [""]
    labels = [row["period_label"] for row in rows if row["indicator_id"] == "stillbirth_rate"]
    assert labels == sorted(labels)
    with (folder / "lms/QBB.csv").open(encoding="utf-8", newline="") as handle:
        assert {row["code"] for row in csv.DictReader(handle)} == {"QBB", "R04", "R05"}


def test_the_search_index_leads_to_pages(folder: Path) -> None:
    found = json.loads((folder / "search.json").read_text())["entries"]
    assert {item["kind"] for item in found} >= {"LMS", "trust", "indicator"}
    for item in found:
        assert (folder / item["page"]).is_file()


def test_briefings_are_linked_where_the_edition_has_them(folder: Path, tmp_path: Path) -> None:
    assert not tree(folder / "lms/QAA.html").xpath("//a[contains(@href, 'brief/')]")
    facts = Facts("one", "2026-11-23T00:00:00+00:00", True, has_briefs=True)
    portal.write(made_up.make().write(tmp_path / "edition.duckdb"), tmp_path / "portal", facts)
    for page, address in (
        ("lms/QAA", "../../downloads/brief/lms-QAA.html"),
        ("theme/C01", "../../downloads/brief/theme-C01.html"),
        ("theme/index", "../../downloads/brief/all.html"),
    ):
        assert tree(tmp_path / f"portal/{page}.html").xpath(f"//a[@href='{address}']"), page


def test_each_example_query_stands_with_its_sql_and_answer(folder: Path) -> None:
    page = tree(folder / "queries.html")
    texts = [path.read_text(encoding="utf-8") for path in sorted((PROJECT_ROOT / "docs" / "queries").glob("*.sql"))]
    assert [element.text_content() for element in page.xpath("//section//pre")] == texts
    [changed] = page.xpath("//section[.//a[text()='13_insights_group_what_changed.sql']]")
    heads = changed.xpath(".//th/text()")
    rows = [row.xpath("./td/text()") for row in changed.xpath(".//tbody/tr")]
    assert heads[:5] == ["indicator_name", "source_id", "change", "reason", "figures"]
    assert rows[0][:5] == ["Stillbirth rate", "mbrrace", "changed", "revision", "1"]
    assert len(rows) == 3


def test_a_query_on_a_table_that_is_not_there_says_so(tmp_path: Path) -> None:
    database = made_up.make().write(tmp_path / "edition.duckdb", leave_out=("marts.edition_change",))
    portal.write(database, tmp_path / "portal", FACTS)
    assert "Table with name edition_change does not exist" in tree(tmp_path / "portal/queries.html").text_content()


def test_feeds_are_atom(folder: Path) -> None:
    for name in ("editions", "alerts"):
        feed = etree.fromstring((folder / "feed" / f"{name}.xml").read_bytes())
        space = {"a": "http://www.w3.org/2005/Atom"}
        assert feed.tag == "{http://www.w3.org/2005/Atom}feed"
        assert feed.find("a:updated", space) is not None
        entries = feed.findall("a:entry", space)
        assert entries
        for entry in entries:
            assert all(entry.find(f"a:{tag}", space) is not None for tag in ("id", "title", "updated", "link"))
    assert "<script>" not in (folder / "feed/alerts.xml").read_text()


def test_feeds_lead_to_the_public_address_where_there_is_one(tmp_path: Path) -> None:
    database = made_up.make().write(tmp_path / "edition.duckdb")
    facts = Facts("one", "2026-11-23T00:00:00+00:00", True, "https://insights.example/portal/", (made_up.FACTS,))
    portal.write(database, tmp_path / "portal", facts)
    assert 'href="https://insights.example/portal/change.html"' in (tmp_path / "portal/feed/editions.xml").read_text()


@pytest.mark.parametrize(
    "left_out",
    [pytest.param(OPTIONAL, id="all"), *[pytest.param((name,), id=name, marks=pytest.mark.slow) for name in OPTIONAL]],
)
def test_an_edition_may_lack_tables(left_out: tuple[str, ...], tmp_path: Path) -> None:
    database = made_up.make().write(tmp_path / "edition.duckdb", leave_out=left_out)
    written = portal.write(database, tmp_path / "portal", FACTS)
    assert written.pages > 20
    for path in pages(tmp_path / "portal"):
        assert tree(path).xpath("//h1"), path


def test_an_edition_without_any_release_has_pages(tmp_path: Path) -> None:
    database = made_up.MadeUp().write(tmp_path / "empty.duckdb")
    portal.write(database, tmp_path / "portal", Facts("none", "2026-11-23T00:00:00+00:00", False))
    assert "0 local maternity systems" in tree(tmp_path / "portal/index.html").text_content()


def test_the_file_is_read_only_and_only_what_ships_is_read(tmp_path: Path) -> None:
    database = made_up.make().write(tmp_path / "edition.duckdb")
    before = database.read_bytes()
    portal.write(database, tmp_path / "portal", FACTS)
    assert database.read_bytes() == before


@pytest.mark.slow
def test_pages_of_the_real_edition_are_light(published: Home, tmp_path: Path) -> None:
    written = portal.write(published.database, tmp_path / "portal", Facts("one", "2026-11-23T00:00:00+00:00", False))
    assert written.pages > 180
    for path in (tmp_path / "portal" / "lms").glob("*.html"):
        assert path.stat().st_size < 150_000, path


@pytest.mark.slow
def test_no_page_of_the_real_edition_shows_a_masked_number(published: Home) -> None:
    """A masked row has no number but the comparator and the adjusted value, which the publisher never masks."""
    import perinatal

    edition = perinatal.connect(published.root)
    masked = edition.sql(
        "select trust_code, indicator_name from marts.trust_indicator where is_suppressed and breakdown = 'all'"
    ).fetchall()
    assert masked
    for code, name in masked[:40]:
        page = tree(published.current / "portal" / "trust" / f"{code}.html")
        [row] = page.xpath(f"//table[contains(@class, 'values')][@data-sortable]//tr[th/a[text()={json.dumps(name)}]]")
        value, count = row.xpath("td[1]")[0].text_content(), row.xpath("td[5]")[0].text_content()
        assert not re.search(r"\d", value), (code, name, value)
        assert not re.search(r"\d", count), (code, name, count)
        assert not row.xpath(".//*[contains(@class, 'mark') or contains(@class, 'dots') or @class='whisk']")[
            1 if row.xpath(".//svg[@class='spark']") else 0 :
        ]


def test_the_same_concept_stands_beside_with_its_difference(folder: Path) -> None:
    other = tree(folder / "indicator/never_landed.html")
    [box] = other.xpath("//div[@class='inset'][h2]")
    assert "Counted by <residence>." in box.text_content()
    link = box.xpath(".//li/a")[0]
    assert link.get("href").endswith("indicator/stillbirth_rate.html")
    assert "England 2024" in " ".join(box.text_content().split())
    assert not tree(folder / "indicator/apgar_below_7.html").xpath("//div[@class='inset'][h2]")
