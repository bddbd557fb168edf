"""What stands on one line: series over years of the Maternity Services Data Set, and marts.signal against `stats spc`.

One build of small made-up releases, landed as rows.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from landed_rows import landed
from stats_command import command

from ingest.archive import build_inputs
from warehouse import builder, dbt

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]  # a build is long on a busy machine

Ask = Callable[..., list[tuple[Any, ...]]]
MISSING = "/ Value outside reporting parameters"
QUARTERS = [f"{year}/{year - 1999} Q{quarter}" for year in range(2019, 2023) for quarter in range(1, 5)][:15]
# a fall and a rise of the level with a masked and an absent quarter between: no run of seven without them
SMOKERS = [1900, 1820, 1920, 1800, 1880, 1840, 1900, 2180, 2120, 2160, None, 2120, 2180, 2120, 2160]


def year(release: str, *cells: tuple[str, str, str | None, str]) -> list[dict[str, Any]]:
    """Return a year of dimension, counting basis, category and value, for England and one trust."""
    return [
        {"period": release, "dimension": dimension, "org_level": level, "org_code": code, "org_name": name,
         "measure": measure, "count_of": counted, "value": value}
        for dimension, counted, measure, value in cells
        for level, code, name in (("National", "National", "England"), ("Provider", "RXH", "A trust"))
    ]  # fmt: skip


def quarters(code: str, name: str, values: list[int | None], births: int) -> list[dict[str, Any]]:
    return [
        {"indicator_id": 93085, "indicator_name": "Smoking status at time of delivery", "area_code": code,
         "area_name": name, "area_type": "England" if code[0] == "E" else "Acute Trust", "sex": "Persons",
         "age": "All ages", "time_period": label, "value": 100 * value / births, "count": value, "denominator": births}
        for label, value in zip(QUARTERS, values, strict=True)
        if value is not None
    ]  # fmt: skip


def decile(label: str, value: str) -> tuple[str, str, str | None, str]:
    return ("DeprivationDecileAtBooking", "Deliveries", label, value)


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Build all releases; give what runs SQL on the working file and the candidate."""
    folder = tmp_path_factory.mktemp("series")
    releases = [
        landed(folder, "msds", "annual", "2017-18", year(
            "2017-18",
            ("MethodOfDelivery", "Women", "Elective Caesarean Section", "10"),
            ("MethodOfDelivery", "Women", "Spontaneous", "90"),
            ("MethodOfDelivery_HES", "Women", "Elective Caesarean Section", "20"),
            ("MethodOfDelivery_HES", "Women", "Spontaneous", "80"),
        )),
        landed(folder, "msds", "annual", "2020-21", year(
            "2020-21",
            decile("01 - Most deprived", "60"), decile("2", "40"),
            ("MethodOfDelivery", "Babies", "Elective caesarean section", "25"),
            ("MethodOfDelivery", "Babies", "Emergency caesarean section", "15"),
            ("MethodOfDelivery", "Babies", "Spontaneous", "60"),
            ("SmokingAtBooking", "Deliveries", "Smoker", "10"),
            ("SmokingAtBooking", "Deliveries", "Non-Smoker / Ex-Smoker", "90"),
            ("SmokingAtBooking", "Deliveries", f"Missing Value {MISSING}", "5"),
            ("OnsetOfLabour", "Deliveries", "Medical induction", "10"),
            ("OnsetOfLabour", "Deliveries", "Surgical induction", "5"),
            ("OnsetOfLabour", "Deliveries", "Surgical and medical induction", "5"),
            ("OnsetOfLabour", "Deliveries", "Caesarean Section", "30"),
        )),
        landed(folder, "msds", "annual", "2021-22", year(
            "2021-22",
            decile("01 - Most deprived", "50"), decile("02", "50"), decile("02 ", "50"), decile("002", "5"),
            ("DeliveryMethodBabyGroup", "Deliveries", "Elective caesarean", "30"),
            ("DeliveryMethodBabyGroup", "Deliveries", "Emergency caesarean", "20"),
            ("DeliveryMethodBabyGroup", "Deliveries", "Spontaneous", "50"),
            ("SmokingStatusGroupBooking", "Deliveries", "Smoker", "15"),
            ("SmokingStatusGroupBooking", "Deliveries", "Non-Smoker / Ex-Smoker", "85"),
            ("SmokingStatusGroupBooking", "Deliveries", f"Missing value {MISSING}", "5"),
            ("OnsetOfLabour", "Deliveries", "Caesarean", "40"),
        )),
        landed(folder, "msds", "annual", "2022-23", year(
            "2022-23", decile("01 - Most deprived", "70"), decile("2.0", "30"),
        )),
        landed(folder, "fingertips", "93085_118_15", "2022-23", [
            *quarters("E92000001", "England", [14000] * 15, 140000),
            *quarters("RXH", "A trust", SMOKERS, 20000),
            *quarters("RAE", "Another trust", [value and value % 7 for value in SMOKERS], 20000),
        ]),
    ]  # fmt: skip
    files = dbt.Warehouse(folder / "work.duckdb", folder / "perinatal.duckdb", folder)
    builder.make_landed(files.work_db, build_inputs.layouts(), releases)
    dbt.build(files, folder / "target", builder.staging_models(), folder / "dbt.log")

    def run(sql: str, *values: object) -> list[tuple[Any, ...]]:
        with duckdb.connect() as connection:
            connection.execute(f"attach '{files.work_db}' as work (read_only)")
            connection.execute(f"attach '{files.candidate_db}' as candidate (read_only)")
            connection.execute("use candidate")
            return connection.execute(sql, values).fetchall()

    return run


def test_a_decile_is_one_series_however_it_is_spelt(ask: Ask) -> None:
    found = ask(
        "select breakdown_value, count(distinct series_id), list(period_label order by period_label) "
        "from marts.trust_indicator where indicator_id = 'msds_deprivation_decile_at_booking' group by 1 order by 1"
    )
    years = ["2020-21", "2021-22", "2022-23"]
    # a spelling that nobody has said the meaning of stays apart, with an alert
    assert found == [("002", 1, ["2021-22"]), ("01 - Most deprived", 1, years), ("02", 1, years)]


def test_renamed_dimensions_are_one_indicator_and_whom_they_count_tells_series_apart(ask: Ask) -> None:
    sql = (
        "select series_id, list(distinct period_label order by period_label) from marts.england_indicator "
        "where source_id = 'msds' and indicator_id = ? and breakdown_value <> 'all' group by 1 order by 1"
    )
    assert ask(sql, "msds_smoking_status_group_booking") == [
        ("msds_smoking_status_group_booking:deliveries", ["2020-21", "2021-22"])
    ]
    assert ask(sql, "msds_delivery_method_baby_group") == [
        ("msds_delivery_method_baby_group:babies", ["2020-21"]),
        ("msds_delivery_method_baby_group:deliveries", ["2021-22"]),
        ("msds_delivery_method_baby_group:women", ["2017-18"]),
    ]


def test_no_category_stands_in_two_spellings(ask: Ask) -> None:
    sql = (
        "select distinct breakdown_value from marts.trust_indicator where indicator_id = ? and source_id = 'msds' "
        "order by 1"
    )
    assert ask(sql, "msds_delivery_method_baby_group") == [
        ("Elective caesarean",),
        ("Emergency caesarean",),
        ("Spontaneous",),
    ]
    assert (f"Missing value {MISSING}",) in ask(sql, "msds_smoking_status_group_booking")
    assert len(ask(sql, "msds_smoking_status_group_booking")) == 3
    assert ("Caesarean Section",) not in ask(sql, "msds_onset_of_labour")


def test_figures_of_hospital_episodes_are_another_source(ask: Ask) -> None:
    found = ask(
        "select source_id, indicator_id, value, release_key from marts.england_indicator "
        "where period_label = '2017-18' and breakdown_value = 'Elective caesarean' order by 1"
    )
    assert found == [
        ("hes", "hes_delivery_method_baby_group", 20.0, "msds/annual/2017-18"),
        ("msds", "msds_delivery_method_baby_group", 10.0, "msds/annual/2017-18"),
    ]


def test_outcomes_of_the_catalogue_have_their_years(ask: Ask) -> None:
    sql = (
        "select period_label, numerator, denominator, series_id from marts.trust_indicator "
        "where indicator_id = ? and source_id = 'msds' order by 1"
    )
    assert ask(sql, "smoking_at_booking_known_status") == [
        ("2020-21", 10.0, 100.0, "smoking_at_booking_known_status:deliveries"),
        ("2021-22", 15.0, 100.0, "smoking_at_booking_known_status:deliveries"),
    ]
    # an outcome of several categories needs each of them
    assert ask(sql, "induction_known_onset") == [("2020-21", 20.0, 50.0, "induction_known_onset:deliveries")]
    assert [row[:3] for row in ask(sql, "caesarean_known_method")] == [
        ("2020-21", 40.0, 100.0),
        ("2021-22", 50.0, 100.0),
    ]


@pytest.mark.parametrize("code", ["RXH", "E92000001"])
def test_signal_is_what_the_stats_command_gives(ask: Ask, tmp_path: Path, code: str) -> None:
    columns = "process_mean, lower_process_limit, upper_process_limit, special_cause_type, point_type"
    shown = ask(
        f"select period_start, value, {columns} from marts.signal where organisation_code = ? order by period_start",
        code,
    )
    text = io.StringIO()
    csv.writer(text).writerows([("x", "y", "improvement_direction"), *((day, y, "decrease") for day, y, *_ in shown)])
    rows = command("spc", tmp_path, text.getvalue())
    assert len(shown) == (14 if code == "RXH" else 15)
    for (_, _, mean, lower, upper, cause, kind), row in zip(shown, rows, strict=True):
        assert (cause, kind) == (row["special_cause_type"], row["point_type"])
        for ours, theirs in ((mean, row["mean_col"]), (lower, row["lpl"]), (upper, row["upl"])):
            assert (ours is None) == (theirs == "")
            assert ours is None or ours == pytest.approx(float(theirs), rel=1e-12)
    assert not any("7 Points Above" in (cause or "") for *_, cause, _ in shown)


def test_series_of_rare_events_have_no_limits(ask: Ask) -> None:
    found = ask(
        "select distinct process_mean, lower_process_limit, upper_process_limit, special_cause_type "
        "from marts.signal where organisation_code = 'RAE'"
    )
    assert found == [(None, None, None, None)]
