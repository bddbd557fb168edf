"""What the pages say, word by word."""

from datetime import date

import pytest
import yaml

from insights.bodies import body_of_source
from perinatal.settings import PROJECT_ROOT
from publish.portal import wording as words
from publish.portal.answers import Answers
from publish.portal.lookup import Lookup, ShortNames
from publish.portal.model import Edition, Facts
from publish.portal.origins import Origins
from publish.portal.shown import Shown

SOURCES = [path.parent for path in (PROJECT_ROOT / "ingest" / "sources").glob("*/source.yml")]


@pytest.mark.parametrize(
    ("publisher", "letters"),
    [
        ("Office for Health Improvement and Disparities (OHID), Department of Health and Social Care", "OHID"),
        ("MBRRACE-UK (TIMMS, University of Leicester; NPEU, University of Oxford)", "MBRRACE-UK"),
        ("RCPCH, commissioned by HQIP", "RCPCH"),
        ("NHS England", "NHS England"),
        ("NHS England (Patient Safety)", "NHS England"),
        ("ONS, DHSC, MBRRACE-UK (each row has the address of its own)", "ONS, DHSC, MBRRACE-UK"),
        (None, ""),
    ],
)
def test_a_publisher_is_short_in_a_cell(publisher: str | None, letters: str) -> None:
    assert words.publisher_letters(publisher) == letters


def test_figures_of_several_publishers_in_one_source_are_no_list_cut_short() -> None:
    shipped = {folder.name: yaml.safe_load((folder / "source.yml").read_text(encoding="utf-8")) for folder in SOURCES}
    letters = {name: words.publisher_letters(about["publisher"]) for name, about in shipped.items()}
    assert letters["official_figures"] == "Official figures"
    assert {name: short for name, short in letters.items() if "," in short} == {}
    assert letters["hsib"] == body_of_source()["hsib"]


@pytest.mark.parametrize(
    ("name", "within"),
    [("Stillbirth rate, by residence (ONS)", "stillbirth rate, by residence (ONS)"), ("MBRRACE rate", "MBRRACE rate")],
)
def test_a_name_within_a_sentence_keeps_its_capitals(name: str, within: str) -> None:
    assert words.uncapitalised(name) == within


def test_a_doubtful_geography_is_said_in_words() -> None:
    assert words.geography("England(?)") == "England (as far as the source says)"
    assert words.geography("UK") == "UK"


@pytest.mark.parametrize(
    ("count", "said"), [(None, ""), (7, "7"), (215.82, "215.8"), (2039.52, "2,040"), (16804.02, "16,804")]
)
def test_a_shared_count_has_a_decimal_only_where_it_says_something(count: float | None, said: str) -> None:
    assert words.counted(count) == said


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [(7.8, "%", "7.8%"), (3.8, "per 1,000", "3.80 per 1,000"), (746, "count", "746 count"), (None, "%", "no value")],
)
def test_a_value_stands_with_its_unit(value: float | None, unit: str, said: str) -> None:
    assert words.with_unit(value, unit) == said


def test_figures_inside_another_sources_file_go_by_their_letters() -> None:
    names = ShortNames({"msds": "NHS England"})
    assert (names["msds"], names["hes"]) == ("NHS England", "HES")


def test_figures_that_a_source_passes_on_are_cited_by_their_own_publisher() -> None:
    named = {"indicator_name": "Rate", "unit": "per 1,000"}
    about = {"nnrd_rate": named | {"publisher": "NNRD"}, "new_rate": named | {"publisher": None}, "old_rate": named}
    release = {"source_id": "official_figures", "publisher": "Official figures (ONS, DHSC)", "page": "key"}
    releases = {"key": release | {"dataset": "national_ambitions", "release": "2026-11-28"}}
    edition = Edition(Facts("e", "2026-11-30", False), [], {}, [], {}, [], about, releases, {}, frozenset(), {}, {})
    lookup = Lookup(edition)
    shown = Shown(lookup, Origins(lookup), Answers([])).look_up
    for indicator_id, name in (
        ("nnrd_rate", "NNRD"),
        ("new_rate", "Official figures"),
        ("old_rate", "Official figures"),
    ):
        row = {"source_id": "official_figures", "indicator_id": indicator_id}
        assert shown.letters_of(row) == shown.publisher("official_figures", indicator_id) == name
    assert shown.letters_of({"source_id": "official_figures"}) == "Official figures"


@pytest.mark.parametrize(
    ("label", "end", "months", "said", "short"),
    [
        ("2025-04", date(2025, 4, 30), 1, "April 2025", "Apr 2025"),
        ("2025-04", date(2025, 4, 30), 3, "three months to April 2025", "3 months to Apr 2025"),
        ("2025-04", date(2025, 4, 30), None, "April 2025", "Apr 2025"),
        ("2024", date(2024, 12, 31), 12, "2024", "2024"),
        # a year of two numbers is no month, though it looks like one
        ("2011-12", date(2012, 3, 31), 12, "2011-12", "2011-12"),
        ("2024-25", date(2025, 3, 31), 12, "2024-25", "2024-25"),
        ("2019", None, None, "2019", "2019"),
    ],
)
def test_a_period_is_worded_with_the_months_that_its_value_covers(
    label: str, end: date | None, months: int | None, said: str, short: str
) -> None:
    row = {"period_label": label, "period_end": end, "months_covered": months}
    assert (words.period(row), words.short_period(row)) == (said, short)
