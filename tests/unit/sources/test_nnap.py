"""NNAP results in our template: one year a file, units by name, measures and their series."""

import csv
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.registry import source
from ingest.sample.reference import read_seed

EXAMPLE = (source("nnap").folder / "example.csv").read_text(encoding="utf-8")
HEADER = EXAMPLE.splitlines()[0]
UNIT = "2023,antenatal_steroids,unit,Northgate,LNU,Northern,England,41,80,51.3%,52.0%,"


def test_the_example_lands(arrives: Callable) -> None:
    arrived = arrives("nnap", "x.csv", EXAMPLE)
    assert (arrived.refused, arrived.warned) == (frozenset(), frozenset())
    assert (arrived.identity.dataset, arrived.identity.release) == ("unit_results", "2023")
    assert arrived.rows[0]["value"] == 68.3


@pytest.mark.parametrize(
    ("row", "standard"),
    [
        (UNIT.replace("2023", "2022"), "one_data_year_a_file"),
        (UNIT.replace("antenatal_steroids", "steroids"), "measures_are_known"),
        (UNIT.replace("Northgate", ""), "units_and_networks_are_named"),
        (UNIT.replace("Northern", ""), "units_and_networks_are_named"),
        (UNIT.replace("LNU", "ICU"), "unit_level__set"),
        (UNIT.replace("41,80", "81,80"), "counts_are_possible"),
        (UNIT.replace("41,80,51.3%", ",,"), "blank_values_have_a_note"),
        (UNIT, "each_result_once"),
    ],
)
def test_a_wrong_row_is_refused(row: str, standard: str, arrives: Callable) -> None:
    assert standard in arrives("nnap", "x.csv", "\n".join([HEADER, UNIT, row, ""])).refused


def test_units_of_one_name_in_two_networks_are_two(arrives: Callable) -> None:
    other = UNIT.replace("Northern", "North West")
    assert arrives("nnap", "x.csv", "\n".join([HEADER, UNIT, other, ""])).refused == frozenset()


def test_a_year_that_is_not_over_is_refused(arrives: Callable) -> None:
    assert "the_data_year_has_ended" in arrives("nnap", "x.csv", f"{HEADER}\n{UNIT.replace('2023', '2089')}\n").refused


def test_series_of_a_measure_do_not_overlap_and_are_in_the_catalogue() -> None:
    catalogue = {row["indicator_id"]: row for row in read_seed("indicator")}
    series = read_seed("nnap_series")
    for row in series:
        assert catalogue[row["indicator_id"]]["source_id"] == "nnap"
    for measure in {row["measure"] for row in series}:
        spans = sorted(
            (int(row["first_year"] or 0), int(row["last_year"] or 9999)) for row in series if row["measure"] == measure
        )
        assert spans[0][0] == 0
        assert spans[-1][1] == 9999
        assert all(before[1] + 1 == after[0] for before, after in itertools.pairwise(spans))


@pytest.mark.parametrize("year", ["2016", "2017", "2021", "2022"])
def test_a_break_starts_a_new_series(year: str) -> None:
    series = [
        row["indicator_id"]
        for row in read_seed("nnap_series")
        if row["measure"] == "antenatal_steroids"
        and int(row["first_year"] or 0) <= int(year) <= int(row["last_year"] or 9999)
    ]
    expected = {"2016": "_to_2016", "2017": "_2017_to_2021", "2021": "_2017_to_2021", "2022": ""}
    assert series == [f"nnap_antenatal_steroids{expected[year]}"]


def test_the_sample_has_a_break_and_small_units(tmp_path: Path) -> None:
    source("nnap").sample.generate(tmp_path)
    rows = [row for path in tmp_path.iterdir() for row in csv.DictReader(path.open(encoding="utf-8"))]
    assert {row["data_year"] for row in rows} == {"2021", "2022", "2023"}
    assert any(row["note"] and not row["value"] for row in rows)
