"""The arrival gate: column rules from the contract, hand-written ones from YAML, and what a release is held against."""

import csv
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from expectations import alerts, arrival
from ingest import registry
from ingest.archive.quarantine import Quarantine
from ingest.land import landing
from ingest.land.arriving_file import Arrival
from ingest.land.landing import Outcome
from ingest.registry import Source
from ingest.stores import Stores
from perinatal.errors import RefusedAtArrival
from perinatal.home import Home
from tests.support import light_gate

pytestmark = pytest.mark.slow  # a hundred rules a release, judged a dozen times

NAME = "perinatal-mortality-rates-{}-trusthealth-board.csv"
BIRTHS = {"births_near_the_earlier_release", "organisations_of_the_earlier_release_are_here"}
Land = Callable[..., Outcome]
Breached = Callable[[], dict[str, tuple[object, ...]]]


@pytest.fixture
def mbrrace(home: Home, mbrrace_sample: Path, tmp_path: Path) -> Land:
    """Land the synthetic release of a year (2020 to 2024) as MBRRACE-UK's, changed row by row."""

    def run(year: int, change: Callable[[dict[str, str]], object] = str, synthetic: bool = False) -> Outcome:
        target = tmp_path / "incoming" / NAME.format(year)
        target.parent.mkdir(exist_ok=True)
        with (mbrrace_sample / NAME.format(year)).open(newline="") as handle, target.open("w", newline="") as out:
            reader = csv.DictReader(handle)
            writer = csv.DictWriter(out, reader.fieldnames or [], lineterminator="\n")
            writer.writeheader()
            for row in reader:
                change(row)
                writer.writerow(row)
        return landing.land(
            Stores.of(home), target, Arrival(registry.source("mbrrace"), target.name, is_synthetic=synthetic)
        )

    return run


def compared(outcome: Outcome) -> bool:
    """Tell whether a release was held against another."""
    return {check["rule"] for check in outcome.manifest.checks} >= BIRTHS


def failed(outcome: Outcome) -> set[str]:
    return {check["rule"] for check in outcome.manifest.checks if not check["success"]}


def test_a_first_release_is_compared_with_nothing(mbrrace: Land) -> None:
    assert not compared(mbrrace(2022))


def test_real_releases_are_not_held_against_the_sample(mbrrace: Land) -> None:
    assert not compared(mbrrace(2021, synthetic=True))
    assert compared(mbrrace(2022, synthetic=True))
    assert not compared(mbrrace(2023))


def double(row: dict[str, str]) -> None:
    """Double a row's births, deaths stay: rates would be wrong, so the numbers that rates come from are masked."""
    row.update({name: str(2 * int(row[name])) for name in ("TotalBirths", "TotalLiveBirths")})
    for measure in ("Stillbirth", "NeonatalDeath", "PerinatalDeath"):
        row.update({f"Total{measure}s": "-1", f"Crude{measure}Rate": "-1", f"Crude{measure}CategoryID": "0"})


def test_a_release_is_held_against_the_one_before_it_not_the_newest(mbrrace: Land) -> None:
    mbrrace(2020)
    assert "births_near_the_earlier_release" in failed(mbrrace(2023, double))
    assert "births_near_the_earlier_release" not in failed(mbrrace(2021))


def test_an_older_release_is_held_against_the_next_one(mbrrace: Land) -> None:
    mbrrace(2023)
    assert "births_near_the_earlier_release" in failed(mbrrace(2020, double))


def test_last_years_file_under_this_year_is_refused_and_other_years_are_not(mbrrace: Land) -> None:
    """Whichever of the two comes first: one of them is not what it says."""
    mbrrace(2022)
    mbrrace(2023)
    with pytest.raises(RefusedAtArrival, match="not_another_year_again"):
        mbrrace(2023, lambda row: row.update(ReportYear="2024"))
    with pytest.raises(RefusedAtArrival, match="not_another_year_again"):
        mbrrace(2022, lambda row: row.update(ReportYear="2021"))
    assert mbrrace(2024).what == "landed"


def test_every_check_says_what_it_is_about(mbrrace: Land) -> None:
    for check in mbrrace(2022).manifest.checks:
        assert check["dimension"]
        assert check["severity"] in ("block", "warn", "info")
        assert check["owner"]
        assert check["remedy"]
        assert "marts.trust_indicator" in check["affected_marts"]


def test_a_file_of_another_year_than_said_is_refused(home: Home, mbrrace_sample: Path, tmp_path: Path) -> None:
    path = tmp_path / "renamed.csv"
    path.write_bytes((mbrrace_sample / NAME.format(2022)).read_bytes())
    with pytest.raises(RefusedAtArrival, match="release_contradicted"):
        landing.land(
            Stores.of(home), path, Arrival(registry.source("mbrrace"), path.name, "perinatal_mortality", "2021")
        )


def test_rows_of_another_year_further_down_are_refused(mbrrace: Land) -> None:
    rows = itertools.count()
    with pytest.raises(RefusedAtArrival, match=r"one_year_a_file.* 1 more reason"):
        mbrrace(2022, lambda row: next(rows) < 100 or row.update(ReportYear="2021"))


def test_example_rows_name_rows_and_show_no_births(home: Home, mbrrace: Land) -> None:
    """What a rule shows ends in quality.check_result and quality.alert, which ship: births give masks away."""

    def unmask_two(row: dict[str, str]) -> None:
        if row["OrganisationCode"] == "5":
            births, live = int(row["TotalBirths"]), int(row["TotalLiveBirths"])
            row.update(TotalStillbirths="1", CrudeStillbirthRate=f"{1000 / births:.2f}", CrudeStillbirthCategoryID="2")
            row.update(TotalNeonatalDeaths="2", CrudeNeonatalDeathRate=f"{2000 / live:.2f}")
            row.update(CrudeNeonatalDeathCategoryID="2", TotalPerinatalDeaths="3", CrudePerinatalDeathCategoryID="2")
            row.update(CrudePerinatalDeathRate=f"{3000 / births:.2f}")

    outcome = mbrrace(2022, unmask_two)
    [check] = [check for check in outcome.manifest.checks if check["rule"] == "small_counts_are_masked"]
    assert not check["success"]
    assert {"source_row", "organisation_code", "organisation_name"} <= set(check["sample_rows"][0])
    shown = {name for check in outcome.manifest.checks for row in check["sample_rows"] for name in row}
    assert not {name for name in shown if "birth" in name or "death" in name}
    logged = {name for alert in alerts.AlertLog(home.alerts).all() for row in alert.breach.sample_rows for name in row}
    assert not {name for name in logged if "birth" in name or "death" in name}


def test_a_refused_files_report_and_alert_show_no_births_either(home: Home, mbrrace: Land) -> None:
    with pytest.raises(RefusedAtArrival, match="masks_are_whole"):
        mbrrace(2022, lambda row: row.update(CrudeStillbirthCategoryID="0"))
    [alert] = [alert for alert in alerts.AlertLog(home.alerts).open() if alert.breach.rule == "masks_are_whole"]
    assert alert.breach.sample_rows
    assert not {name for row in alert.breach.sample_rows for name in row if "birth" in name or "death" in name}


def test_every_column_rule_of_the_contract_is_asked(mbrrace: Land) -> None:
    source: Source = registry.source("mbrrace")
    outcome = mbrrace(2022)
    asked = {check["rule"] for check in outcome.manifest.checks}
    assert "cells_have_their_type" in asked
    for column in source.columns["perinatal_mortality"]:
        if column.minimum is not None:
            assert f"{column.name}__range" in asked
        if not column.nullable:
            assert f"{column.name}__filled" in asked
        if column.allowed:
            assert f"{column.name}__set" in asked
    assert failed(outcome) <= {"organisations_of_the_earlier_release_are_here"}


def test_a_warning_keeps_the_rows_it_is_about(mbrrace: Land) -> None:
    """What is said of a row reaches the warehouse; the rest of the release stays clear of it."""
    outcome = mbrrace(2022, lambda row: row.update(Longitude="12.5") if row["OrganisationCode"] in ("5", "8") else None)
    [check] = [check for check in outcome.manifest.checks if check["rule"] == "longitude__range"]
    assert check["expectation"] == "expect_column_values_to_be_between"
    assert check["kwargs"] == {"column": "longitude", "min_value": -10.0, "max_value": 3.0}
    assert (check["unexpected_count"], check["element_count"]) == (2, outcome.manifest.rows_landed)
    rows = [row for first, last in check["source_rows"] for row in range(first, last + 1)]
    assert rows == [row["source_row"] for row in check["sample_rows"]]
    assert ": 2 of " in check["message"]
    assert check["sample_rows"][0]["organisation_name"] in check["message"]


@pytest.fixture
def breached(home: Home, mbrrace: Land) -> Breached:
    """Land a release with many faults; give what it was refused for: standard → count and message."""

    def spoil(row: dict[str, str]) -> None:
        if row["OrganisationCode"] in ("5", "8"):
            row.update(Longitude="12.5", ComparatorGroupID="9", TotalLiveBirths="39999", CountryName="France")
            row.update(StabilisedStillbirthCI="none", OrganisationName="", OrganisationCode="5", ReportYear="x")

    def run() -> dict[str, tuple[object, ...]]:
        with pytest.raises(RefusedAtArrival):
            mbrrace(2022, spoil)
        [(_, report)] = Quarantine(home.quarantine).reports()
        return {reason["rule"]: (reason["count"], reason["message"]) for reason in report.reasons}

    return run


def test_the_light_gate_of_other_tests_says_what_the_library_says(
    breached: Breached, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_library = breached()
    monkeypatch.setattr(arrival.native, "validate_tables", light_gate.validate_tables)
    assert breached() == by_library
    assert len(by_library) >= 7


def test_rows_that_are_read_where_they_lie_are_judged_as_those_that_are_held(
    breached: Breached, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = breached()
    monkeypatch.setattr(arrival, "MOST_HELD", 0)
    assert breached() == held
