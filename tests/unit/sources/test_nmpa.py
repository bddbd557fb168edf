"""NMPA downloads: recognition by name, bytes that are not UTF-8, blanks, and standards."""

from collections.abc import Callable

import pytest

from ingest.registry import Sample, source

HEADER = "Country,Organisation name,Organisation code,Numerator,Denominator,Unadjusted rate,Adjusted rate,GB mean"
ROWS = [
    "England,England,,2600,100000,2.60%,2.60%,2.70%",
    "England,Airedale NHS Foundation Trust,RCF,27,1000,2.70%,2.80%,2.70%",
    'Wales,"Cwm Taf, a board",7A5,30,1000,3.00%,2.90%,2.70%',
    "England,Barnsley Hospital,RFF,,,,,2.70%",
]


def content(*rows: str) -> bytes:
    return "\r\n".join([HEADER, *rows, ""]).encode("cp1252")


def seen(name: str, **said: str):
    return source("nmpa").recognise(Sample(name, HEADER.split(","), [{}], **said))


@pytest.mark.parametrize(
    ("name", "measure", "year"),
    [
        ("Haemorrhage of 1500ml or more 2023.csv", "pph_1500ml", "2023"),
        ("PPH-1500ml_2018-19.csv", "pph_1500ml", "2018-19"),
        ("pph_1500ml-2023.csv", "pph_1500ml", "2023"),
        ("Third or fourth degree tear 2022.csv", "third_fourth_degree_tear", "2022"),
        ("unplanned-caesarean-2023.csv", "caesarean_unplanned", "2023"),
        ("Elective cesarean 2023.csv", "caesarean_planned", "2023"),
        ("SGA babies born at or after 40 weeks (2023).csv", "sga_born_at_or_after_40_weeks", "2023"),
        ("5-minute Apgar score less than 7, 2023.csv", "apgar_below_7", "2023"),
        ("nmpa_smoking_at_delivery_2021.csv", "nmpa_smoking_at_delivery", "2021"),
    ],
)
def test_the_name_tells_measure_and_year(name: str, measure: str, year: str) -> None:
    found = seen(name)
    assert (found.dataset, found.release, found.contract) == (measure, year, "measure")


@pytest.mark.parametrize(
    "name", ["download.csv", "induction.csv", "2023.csv", "induction and apgar 2023.csv", "apgar 2022 2023.csv"]
)
def test_what_the_name_does_not_tell_is_not_guessed(name: str) -> None:
    found = seen(name)
    assert not (found.dataset and found.release)


def test_a_person_may_say_it_and_is_believed_before_the_name() -> None:
    found = seen("download.csv", dataset="pph_1500ml", release="2023")
    assert (found.dataset, found.release, found.contract) == ("pph_1500ml", "2023", "measure")
    assert seen("induction 2022.csv", release="2023").release == "2023"


def test_another_table_is_not_taken_for_one() -> None:
    assert source("nmpa").recognise(Sample("pph 2023.csv", ["Country", "Value"], [{}])) is None


def test_hard_spaces_percentages_and_blanks(arrives: Callable) -> None:
    rows = [row.replace("Hospital", "Hospital\xa0") for row in ROWS] * 1
    arrived = arrives("nmpa", "pph 2023.csv", content(*rows))
    assert arrived.refused == frozenset(), arrived.messages
    assert arrived.warned == {"about_as_many_english_organisations"}
    assert arrived.rows[3]["organisation_name"] == "Barnsley Hospital\xa0"
    assert [row["unadjusted_rate"] for row in arrived.rows] == [2.6, 2.7, 3.0, None]
    assert [row["gb_mean"] for row in arrived.rows] == [2.7] * 4


@pytest.mark.parametrize(
    ("row", "standard"),
    [
        ("England,X,RXX,31,30,2.70%,,2.70%", "numerator_within_denominator"),
        ("England,X,RXX,3,,2.70%,,2.70%", "numerator_within_denominator"),
        ("England,X,RCF,27,1000,2.70%,,2.70%", "organisation_once"),
        ("England,X,RXX,27,1000,270%,,2.70%", "unadjusted_rate__range"),
        ("England,X,RXX,27,1000,2.70 per cent,,2.70%", "unadjusted_rate__type"),
        ("France,X,RXX,27,1000,2.70%,,2.70%", "country__set"),
        ("England,X,RXX,27,1000,0.027,,2.70%", "number_style_contradicted"),
        ("England,,RXX,27,1000,2.70%,,2.70%", "organisation_name__filled"),
    ],
)
def test_a_wrong_row_is_refused(row: str, standard: str, arrives: Callable) -> None:
    assert standard in arrives("nmpa", "pph 2023.csv", content(*ROWS, row)).refused


@pytest.mark.parametrize(
    ("said", "standard"),
    [
        ({"dataset": "stillbirth_rate", "release": "2023"}, "unknown_dataset"),
        ({"dataset": "induction", "release": "spring"}, "the_release_is_a_year"),
        ({"dataset": "induction", "release": "2018-20"}, "the_release_is_a_year"),
        ({"dataset": "induction", "release": "2089"}, "the_release_is_a_year"),
    ],
)
def test_what_a_person_says_is_checked(said: dict[str, str], standard: str, arrives: Callable) -> None:
    refused = arrives("nmpa", "download.csv", content(*ROWS), **said).refused
    assert standard in refused or "the_year_has_ended" in refused


def test_two_measures_in_one_file_are_told(arrives: Callable) -> None:
    other = "England,Y,RYY,30,1000,3.00%,,3.10%"
    assert "one_mean" in arrives("nmpa", "pph 2023.csv", content(*ROWS, other)).warned
