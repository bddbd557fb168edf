import json
import re
import shutil
import subprocess
from datetime import date

import duckdb
import pytest

from insights import theme_tables as step
from insights.brief import content, national, render, write, write_all, write_national
from insights.brief import formats as words
from insights.decisions import DecisionFile
from perinatal import charts
from perinatal.charts import Point
from perinatal.errors import PerinatalError
from perinatal.home import Home
from perinatal.made_files import MadeFiles, Since, Standing

FACTS = {"edition_id": "20261123T000000-abcdef01", "published_at": "2026-11-23T00:00:00+00:00", "is_synthetic": False}
CTG = "The CTG was pathological for an hour and the concerns were not escalated to the registrar."
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def indicator(candidate, indicator_id, name, values, lms_names="System", trusts="Trust"):
    unit, england = "%", 1.2
    about = {"indicator_name": name, "concept_id": indicator_id, "polarity": "low", "unit": unit}
    candidate.insert("core.dim_indicator", indicator_id=indicator_id, **about)
    period = {"period_label": "2023", "period_start": date(2023, 1, 1), "period_end": date(2023, 12, 31)}
    common = {"indicator_id": indicator_id, "source_id": "nmpa", "breakdown": "all", "unit": unit, **period}
    candidate.insert("marts.england_indicator", indicator_name=name, value=england, recent_trend="worse", **common)
    for place, value in enumerate(values):
        lms = {"lms_code": f"Q{place:02}", "lms_name": f"{lms_names} {place:02}"}
        bounds = {"value_min": 0.5, "value_max": 2.5} if value is None else {"value_min": value, "value_max": value}
        candidate.insert(
            "marts.lms_indicator",
            indicator_name=name,
            value=value,
            is_complete=value is not None,
            trusts_expected=3,
            trusts_reporting=3 if value is not None else 2,
            verdict=None if value is None else "worse",
            **lms,
            **bounds,
            **common,
        )
        trust = {"trust_code": f"R{place:02}", "trust_name": f"{trusts} {place:02}", "lms_code": lms["lms_code"]}
        candidate.insert("marts.trust_indicator", value=value, verdict="worse", **trust, **common)


@pytest.fixture(scope="module")
def told(make_candidate, tmp_path_factory):
    """A candidate with findings, figures, indicators and 44 LMSs, its themes made; tests only read it."""
    tmp_path = tmp_path_factory.mktemp("told")
    candidate = make_candidate(tmp_path / "perinatal.duckdb")
    for place in range(44):
        names = {"lms_code": f"Q{place:02}", "lms_name": f"System {place:02}", "region_name": "North"}
        candidate.insert("core.dim_lms", **names)
    values = [None if place % 9 == 8 else 0.8 + place / 50 for place in range(44)]
    indicator(candidate, "apgar_below_7", "Apgar score below 7 at five minutes", values)
    candidate.published()
    stands_out(candidate)
    candidate.finding("hsib-1", CTG, page=7)
    more = {"kind": "recommendation", "recipient": "NHS England", "status": "accepted"}
    candidate.finding("hsib-2", "NHS England should review guidance on intermittent auscultation.", **more)
    step.run(candidate.path, DecisionFile(tmp_path / "none.csv"))
    return candidate


def page(candidate, facts=FACTS, **asked):
    with duckdb.connect(str(candidate.path), read_only=True) as connection:
        return render(content.page(content.Asked(connection, **asked), facts))


def report(candidate, facts=FACTS, last=None):
    with duckdb.connect(str(candidate.path), read_only=True) as connection:
        return render(national.page(content.Asked(connection), facts, last), "national.html")


def stands_out(candidate, concept="apgar_below_7", trusts=3, **more):
    for place in range(trusts):
        common = {"concept_id": concept, "lms_code": f"Q{place:02}", "rank": 1, "is_new": place == 0} | more
        name = {"indicator_name": "Apgar score below 7 at five minutes", "excess": 12.5, "tier": "harm"}
        trust = {"level": "trust", "organisation_code": f"R{place:02}", "organisation_name": f"Trust {place:02}"}
        candidate.insert("marts.attention", **(name | trust | common))
        system = {"level": "lms", "organisation_code": f"Q{place:02}", "organisation_name": f"System {place:02}"}
        candidate.insert("marts.attention", trusts=[f"Trust {place:02}"], **(name | system | common))


def text(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html.split("</style>")[1]).split())


def test_theme_brief_has_words_numbers_variation_drivers_caveats_and_links(told):
    html = page(told, theme="c01")
    said = text(html)
    for part in ("What the sources say", "Publishers' own figures", "The numbers", "Variation by LMS"):
        assert part in said
    assert "was pathological for an hour" in said
    assert "recommendation to NHS England, accepted" in said
    assert "49%" in said
    assert "92 investigations" in said
    assert "44 of 44" in said
    assert "D5 Improve the early recognition" in said
    assert "not to be added up" in said
    assert 'href="https://example.org/report"' in html


def test_national_brief_ranks_themes(told):
    said = text(page(told))
    assert "The 10 themes, of 40" in said
    assert said.index("S02 Escalation") < said.index("C09 Larger babies") if "C09 Larger babies" in said else True
    assert "no clinical driver" in said


def test_national_report_says_what_converges_where_and_by_which_driver(told):
    html = report(told)
    said = text(html)
    for part in ("What bodies stress", "The evidence, in the reports' own words", "Where in the country"):
        assert part in said
    assert "49.0% 39 to 59" in said
    assert (
        "C01 intermittent auscultation not in line with national guidance ( HSIB/MNSI to 2022-06 , 92 investigations)"
        in said
    )
    assert "harm Apgar score below 7 at five minutes 3 (1 new) 3 38 C01, C07, C10 and S02" in said
    assert "By region, trusts that stand out on anything: North 3." in said
    assert "System 00 (1 new) North 0 1 0 Apgar score below 7" in said
    assert "Which improvement driver can address which theme" in said
    assert "D5 Improve the early recognition" in said
    assert "No earlier edition of the same kind is kept" in said
    assert not re.search(r"<(script|link|img|iframe|object|base)\b|@import|url\(| style=|\bsrc=|\bon\w+=", html)


@pytest.fixture(scope="module")
def named_only(make_candidate, tmp_path_factory):
    """A candidate without findings: bodies speak of its themes by published lists and counts alone."""
    tmp_path = tmp_path_factory.mktemp("named")
    candidate = make_candidate(tmp_path / "perinatal.duckdb")
    candidate.insert("core.dim_lms", lms_code="Q00", lms_name="System 00", region_name="North")
    candidate.published()
    indicator(candidate, "apgar_below_7", "Apgar score below 7 at five minutes", [1.0, 1.5])
    step.run(candidate.path, DecisionFile(tmp_path / "none.csv"))
    return candidate


def test_no_page_claims_agreement_where_one_body_speaks(named_only):
    counts = named_only.rows("select n_bodies from marts.theme order by convergence_rank limit 10")
    several, one = sum(n > 1 for (n,) in counts), sum(n == 1 for (n,) in counts)
    assert (several, one) == (4, 6)
    ((theme, label, body), *_) = named_only.rows(
        "select theme_id, label, bodies[1] from marts.theme where n_bodies = 1 order by convergence_rank"
    )
    said = text(page(named_only))
    assert "4 are stressed by two or more independent bodies, 6 by one." in said
    for whole in (said, text(report(named_only))):
        assert not re.search(r"\bagrees?\b|\bconverge", whole), re.findall(r".{60}\b(?:agree|converge).{60}", whole)
        assert f"{theme} {label} 1: {body}" in whole


@pytest.mark.parametrize("asked", [{}, {"theme": "C01"}, {"theme": "S05"}, {"lms": "Q00"}])
def test_a_body_has_one_name_on_a_briefing(named_only, asked):
    said = text(page(named_only, **asked))
    assert "HSIB/MNSI" in said
    assert set(re.findall(r"\b(?:hsib|HSIB|MNSI|EBC)\b(?!\.org)", said.replace("HSIB/MNSI", ""))) == set()


def test_a_briefing_leaves_out_what_nobody_has_seen(named_only):
    said = text(page(named_only, theme="S11"))
    assert "0 bodies stress it" in said
    assert "HSIB" not in said


def edition(home, name, candidate, **facts):
    folder = home.editions / name
    folder.mkdir(parents=True)
    shutil.copy(candidate.path, folder / "perinatal.duckdb")
    (folder / "edition.json").write_text(json.dumps(FACTS | {"edition_id": name} | facts))
    return folder


def test_national_report_says_what_the_last_edition_lacked(make_candidate, told, tmp_path):
    before = make_candidate(tmp_path / "before.duckdb")
    before.published()
    stands_out(before, concept="stillbirth", tier="death")
    before.insert("core.dim_release", release_key="old", publisher="NPEU", release="2023")
    step.run(before.path, DecisionFile(tmp_path / "none.csv"))
    home = Home(tmp_path / "state")
    edition(home, "20260101T000000-a", before)
    now = edition(home, "20261101T000000-b", told)
    edition(home, "20270101T000000-c", before)  # later: not the one before
    with duckdb.connect(str(now / "perinatal.duckdb")) as connection:
        connection.execute(
            "insert into core.dim_release (release_key, publisher, release) values ('new', 'NPEU', '2024')"
        )
    out = tmp_path / "report.html"
    write_national(now / "perinatal.duckdb", out)
    said = text(out.read_text(encoding="utf-8"))
    assert "New releases: NPEU (1)." in said
    assert re.search(r"New findings by theme: .*C01 [12]", said)
    assert "2 entries of what stands out are new, 6 are gone." in said
    assert "Compared with edition 20260101T000000-a." in said
    (home.editions / "20260101T000000-a" / "edition.json").write_text(json.dumps(FACTS | {"is_synthetic": True}))
    write_national(now / "perinatal.duckdb", out)
    assert "No earlier edition of the same kind is kept" in out.read_text(encoding="utf-8")


def test_national_report_of_an_edition_without_findings_or_indicators(candidate, tmp_path):
    step.run(candidate.path, DecisionFile(tmp_path / "none.csv"))
    said = text(report(candidate))
    assert "No body of this edition stresses any theme" in said
    assert "Nothing stands out in this edition" in said


def test_lms_brief_shows_its_own_value_or_its_bounds(told):
    by_name = text(page(told, lms="system 03"))
    assert "Perinatal safety in System 03" in by_name
    assert "3 of 39 others lower" in by_name
    assert "Trust 03" in by_name
    masked = text(page(told, lms="Q08"))
    assert "between 0.50 and 2.50" in masked
    assert "2 of 3 trusts visible" in masked
    assert "System 08 among them" in masked


@pytest.fixture(scope="module")
def by_tier(make_candidate, tmp_path_factory):
    """A candidate with an outcome, a harm and stillbirths, of which only the first two are worse somewhere."""
    tmp_path = tmp_path_factory.mktemp("tiers")
    candidate = make_candidate(tmp_path / "perinatal.duckdb")
    for place in range(3):
        candidate.insert("core.dim_lms", lms_code=f"Q{place:02}", lms_name=f"System {place:02}", region_name="North")
    indicator(candidate, "preterm_birth", "Preterm birth", [5.0, 6.0, 7.0])
    indicator(candidate, "apgar_below_7", "Apgar score below 7 at five minutes", [1.0, 1.5, 2.0])
    indicator(candidate, "stillbirth_rate", "Stillbirth rate", [None, 3.0])
    step.run(candidate.path, DecisionFile(tmp_path / "none.csv"))
    return candidate


@pytest.mark.parametrize("asked", [{"lms": "Q00"}, {"lms": "Q01"}, {}])
def test_deaths_lead_then_harm_then_other_outcomes(by_tier, asked):
    numbers = text(page(by_tier, **asked)).split("The numbers")[1]
    places = [numbers.index(name) for name in ("Stillbirth rate", "Apgar score below 7", "Preterm birth")]
    assert places == sorted(places)
    assert "no source in this edition gives a rate" not in numbers


def test_an_lms_without_stillbirths_says_so(by_tier):
    assert "Stillbirths: no source in this edition gives a rate for this LMS." in text(page(by_tier, lms="Q02"))


def test_the_national_report_has_stillbirths_whatever_converges(by_tier):
    assert "Stillbirth rate" in text(report(by_tier)).split("The numbers")[1]


def test_an_edition_gets_a_briefing_for_every_lms_and_theme(by_tier, tmp_path):
    made = MadeFiles(tmp_path, Since(FACTS["edition_id"], FACTS["published_at"]))
    count = write_all(by_tier.path, made, is_synthetic=False)
    files = {path.name for path in (tmp_path / "brief").glob("*.html")}
    assert len(files) == count == 3 + 40 + 1, sorted(files)
    assert {"all.html", "lms-Q00.html", "theme-C01.html"} < files
    html = (tmp_path / "brief" / "lms-Q00.html").read_text(encoding="utf-8")
    assert 'href="brief.css"' in html
    assert "style-src 'self'" in html
    assert "<style" not in html
    assert 'href="../../portal/lms/Q00.html"' in html
    assert (tmp_path / "brief" / "brief.css").is_file()


def test_a_briefing_that_reads_the_same_is_taken_over(by_tier, tmp_path):
    database = tmp_path / "candidate.duckdb"
    shutil.copyfile(by_tier.path, database)

    def briefings(name, standing):
        made = MadeFiles(tmp_path / name, Since(f"edition-{name}", "2026-11-23T00:00:00+00:00"), standing)
        write_all(database, made, is_synthetic=False)
        made.close()
        return tmp_path / name / "brief"

    before = briefings("before", Standing())
    with duckdb.connect(str(database)) as connection:
        connection.execute("update marts.theme set definition = 'Told otherwise.' where theme_id = 'C01'")
    now = briefings("now", Standing(tmp_path / "before"))
    anew = briefings("anew", Standing(tmp_path / "before", anew=True))
    told = (now / "theme-C01.html").read_text(encoding="utf-8")
    assert "Told otherwise." in told
    assert "since edition edition-now" in told
    shared = {path.name for path in before.iterdir() if (now / path.name).samefile(path)}
    assert "theme-C02.html" in shared
    assert "theme-C01.html" not in shared
    for path in now.iterdir():
        assert (anew / path.name).read_text(encoding="utf-8").replace("edition-anew", "edition-now") == path.read_text(
            encoding="utf-8"
        )
        assert not (anew / path.name).samefile(before / path.name)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"theme": "C99"}, "unknown theme 'C99'; the themes are C01"),
        ({"lms": "Atlantis"}, "no LMS is 'Atlantis'"),
        ({"lms": "System"}, "several LMSs match 'System'"),
        ({"lms": ""}, None),
    ],
)
def test_what_is_unknown_is_said_with_what_there_is(told, asked, message):
    if message is None:
        assert "The 10 themes" in page(told, **asked)
        return
    with pytest.raises(PerinatalError) as error:
        page(told, **asked)
    assert message in str(error.value)


def test_text_of_documents_cannot_become_markup(candidate, tmp_path):
    hostile = '<script>alert(1)</script> The CTG was not "escalated" & <img src=x onerror=alert(1)>.'
    candidate.finding("hsib-1", hostile, document_title="<b>x</b>", document_url="javascript:alert(1)")
    step.run(candidate.path, DecisionFile(tmp_path / "none.csv"))
    html = page(candidate, theme="C01")
    assert "<script" not in html
    assert "<img" not in html
    assert "javascript:" not in html
    assert "&lt;script&gt;" in html or "&lt;img" in html


def test_the_page_asks_for_nothing_from_elsewhere(told):
    html = page(told, theme="C01")
    assert "default-src 'none'" in html
    assert not re.search(r"<(script|link|img|iframe|object|base)\b|@import|url\(| style=|\bsrc=|\bon\w+=", html)


def test_sample_editions_say_so(told):
    assert "SYNTHETIC" in page(told, facts=FACTS | {"is_synthetic": True})
    assert "SYNTHETIC" not in page(told)


def test_an_edition_without_findings_or_indicators_gives_a_brief(candidate, tmp_path):
    step.run(candidate.path, DecisionFile(tmp_path / "none.csv"))
    said = text(page(candidate, theme="C12"))
    assert "No finding of this edition is coded to this theme" in said
    assert "No indicator that is linked to this theme is in this edition" in said


def test_same_edition_same_page(told):
    assert page(told, theme="C01") == page(told, theme="C01")


def test_write_reads_the_current_edition(told, tmp_path):
    home = Home(tmp_path / "state")
    folder = home.editions / "e1"
    folder.mkdir(parents=True)
    shutil.copy(told.path, folder / "perinatal.duckdb")
    (folder / "edition.json").write_text('{"edition_id": "e1", "published_at": "2026-11-23", "is_synthetic": false}')
    home.current.symlink_to("editions/e1")
    write(home.database, tmp_path / "out.html", theme="C01")
    assert (tmp_path / "out.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    with pytest.raises(PerinatalError, match="cannot be written"):
        write(home.database, tmp_path / "out.html" / "x.html")


def test_a_picture_of_equal_values_and_of_one():
    points = [Point("A <b>", 1.0), Point("B", 1.0, kind="own")]
    svg = str(charts.strip(points, None, "says"))
    assert svg.count("<circle") == 1
    assert "A &lt;b&gt;" in svg
    assert "nan" not in str(charts.strip(points[:1], 1.0, "says"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "https://a.org/x ; https://www.b.org/y (secondary)",
            [("https://a.org/x", "a.org"), ("https://www.b.org/y", "b.org")],
        ),
        ("ogpnews.com 2018-11", []),
        ("https://a.org/news/2683-... ; https://b.org/z", [("https://b.org/z", "b.org")]),
        ("javascript:alert(1)", []),
        (None, []),
    ],
)
def test_addresses_are_found_in_notes(given, said):
    assert words.links(given) == said


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to print with")
def test_it_prints_on_two_pages_at_most_and_the_report_on_four_however_long_the_texts(candidate, tmp_path):
    for place in range(44):
        name = f"The Very Long Name of an Integrated Partnership Number {place:02}"
        candidate.insert("core.dim_lms", lms_code=f"Q{place:02}", lms_name=name, region_name="North East and Yorkshire")
    links = (
        "apgar_below_7",
        "sblcb_element_4",
        "ebc_severe_brain_injuries",
        "ens_fetal_monitoring_share",
        "pph_1500ml",
        "induction",
        "third_fourth_degree_tear",
        "sga_born_at_or_after_40_weeks",
        "caesarean_unplanned",
        "smoking_at_delivery",
    )
    for place, name in enumerate(links):
        stands_out(
            candidate, name, 20, tier=content.TIERS[place % 4], indicator_name=f"A rather long name ({name}) " * 2
        )
    for name in links:
        indicator(
            candidate,
            name,
            f"A rather long name of an indicator, excluding much ({name})",
            [1 + p / 50 for p in range(44)],
            "The Very Long Name of an Integrated Partnership Number",
            "Some Teaching Hospitals of the Northern Counties NHS Foundation Trust",
        )
    candidate.published()
    for place in range(60):
        padding = "and the words of this sentence go on and on about many other things that happened " * 4
        candidate.finding(
            f"x-{place}",
            f"{place} {padding} the CTG was pathological and was not escalated {padding}.",
            source_id=f"source{place % 9}",
            document_title=f"A national learning report with a title that is long, number {place % 9} " * 3,
            document_url=f"https://example.org/{'long/' * 30}{place % 9}",
        )
    step.run(candidate.path, DecisionFile(tmp_path / "none.csv"))
    facts = FACTS | {"is_synthetic": True}
    for asked in ({}, {"theme": "C01"}, {"lms": "Q03"}):
        assert printed_pages(page(candidate, facts, **asked), tmp_path) <= 2, asked
    assert 2 <= printed_pages(report(candidate, facts), tmp_path) <= 4


def printed_pages(said, folder):
    import pdfplumber

    html, pdf = folder / "brief.html", folder / "brief.pdf"
    html.write_text(said, encoding="utf-8")
    command = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-pdf-header-footer",
        f"--print-to-pdf={pdf}",
    ]
    subprocess.run([*command, html.as_uri()], check=True, capture_output=True, timeout=120)
    with pdfplumber.open(pdf) as printed:
        return len(printed.pages)


@pytest.mark.parametrize(
    ("source", "shown"),
    [("mbrrace", "MBRRACE"), ("fingertips", "Fingertips"), ("board_return", "Board return"), ("MBRRACE maternal",) * 2],
)
def test_a_source_has_the_name_that_people_know(source, shown):
    assert words.source_name(source) == shown


@pytest.mark.parametrize(
    ("label", "months", "said"),
    [
        ("2025-04", 3, "three months to April 2025"),
        ("2025-04", 1, "April 2025"),
        ("2024-25", 12, "2024-25"),
        (None, None, "–"),
    ],
)
def test_a_period_is_worded_as_on_pages(label, months, said):
    end = {"2025-04": date(2025, 4, 30), "2024-25": date(2025, 3, 31)}.get(label)
    assert words.period({"period_label": label, "period_end": end, "months_covered": months}) == said
