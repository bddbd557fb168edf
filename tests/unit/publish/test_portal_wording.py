"""What the pages say, word by word."""

import pytest

from publish.portal import wording as words
from publish.portal.lookup import ShortNames


@pytest.mark.parametrize(
    ("publisher", "letters"),
    [
        ("Office for Health Improvement and Disparities (OHID), Department of Health and Social Care", "OHID"),
        ("MBRRACE-UK (TIMMS, University of Leicester; NPEU, University of Oxford)", "MBRRACE-UK"),
        ("RCPCH, commissioned by HQIP", "RCPCH"),
        ("NHS England", "NHS England"),
        (None, ""),
    ],
)
def test_a_publisher_is_short_in_a_cell(publisher: str | None, letters: str) -> None:
    assert words.publisher_letters(publisher) == letters


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
