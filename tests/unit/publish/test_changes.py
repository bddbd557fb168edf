"""What changed between two editions is listed row by row, and never what a mask has since covered."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from publish import changes

COLUMNS = """
    indicator_id varchar, indicator_name varchar, source_id varchar, period_label varchar, period_start date,
    period_end date, breakdown varchar, breakdown_value varchar, numerator double, denominator double, value double,
    lower_95 double, upper_95 double, publisher_value double, adjusted_value double, adjusted_lower_95 double,
    adjusted_upper_95 double, comparator_value double, publisher_band varchar, is_suppressed boolean,
    usage_warnings varchar[], release_key varchar, months_covered integer
"""
AREA = "trusts_expected integer, trusts_reporting integer, value_min double, value_max double"
TABLES = {
    "trust_indicator": f"trust_code varchar, trust_name varchar, lms_code varchar, {COLUMNS}",
    "lms_indicator": f"lms_code varchar, lms_name varchar, {COLUMNS}, {AREA}",
    "region_indicator": f"region_code varchar, region_name varchar, {COLUMNS}, {AREA}",
    "england_indicator": f"{COLUMNS}, {AREA}",
    "organisation_indicator": f"level varchar, organisation_code varchar, organisation_name varchar, {COLUMNS}",
}
BASE: dict[str, Any] = {
    "trust_code": "RAA",
    "trust_name": "A Trust",
    "lms_code": "QAA",
    "indicator_id": "stillbirth_rate",
    "source_id": "mbrrace",
    "period_label": "2023",
    "period_start": "2023-01-01",
    "period_end": "2023-12-31",
    "breakdown": "all",
    "breakdown_value": "all",
    "numerator": 10.0,
    "denominator": 2000.0,
    "value": 5.0,
    "publisher_value": 5.0,
    "is_suppressed": False,
    "usage_warnings": [],
    "release_key": "old",
}
MASKED = dict.fromkeys(("numerator", "denominator", "value", "publisher_value"), None) | {"is_suppressed": True}
Row = dict[str, Any]
Compare = Callable[..., list[Row]]


def make(folder: Path, mart: str, rows: list[Row]) -> Path:
    folder.mkdir()
    with duckdb.connect(str(folder / "perinatal.duckdb")) as connection:
        connection.execute("create schema marts")
        for name, columns in TABLES.items():
            connection.execute(f"create table marts.{name} ({columns})")
        known = set(connection.table(f"marts.{mart}").columns)
        for row in rows:
            kept = {name: value for name, value in row.items() if name in known}
            connection.execute(
                f"insert into marts.{mart} ({', '.join(kept)}) values ({', '.join('?' for _ in kept)})",
                list(kept.values()),
            )
    return folder


@pytest.fixture
def compare(tmp_path: Path) -> Compare:
    """Give the changes listed for a mart that went from `old` rows to `new` ones; each row is BASE with changes."""

    def run(old: list[Row], new: list[Row], mart: str = "trust_indicator") -> list[Row]:
        last = make(tmp_path / "20250101T000000-last", mart, [BASE | row for row in old])
        now = make(tmp_path / "now", mart, [BASE | {"release_key": "new"} | row for row in new])
        count = changes.record(now / "perinatal.duckdb", last)
        with duckdb.connect(str(now / "perinatal.duckdb"), read_only=True) as connection:
            found = connection.sql("select * from marts.edition_change order by organisation_code")
            rows = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
        assert count == len(rows)
        assert all(row["last_edition"] == "20250101T000000-last" for row in rows)
        return rows

    return run


def numbers(row: Row) -> dict[str, float | None]:
    return {name: value for name, value in row.items() if name.startswith(("old_", "new_")) and "key" not in name}


HIDDEN = {"old_value": None, "old_numerator": None, "old_denominator": None}


def test_a_first_edition_changes_nothing(tmp_path: Path) -> None:
    folder = make(tmp_path / "now", "trust_indicator", [BASE])
    assert changes.record(folder / "perinatal.duckdb", None) == 0


def test_the_same_rows_are_no_change_even_under_another_release(compare: Compare) -> None:
    assert compare([{}], [{}]) == []


def test_a_last_digit_of_another_engine_is_no_change(compare: Compare) -> None:
    assert compare([{"upper_95": 3.7410212438743065}], [{"upper_95": 3.7410212438743083}]) == []


def test_a_small_change_is_one(compare: Compare) -> None:
    [row] = compare([{"upper_95": 3.7410212438}], [{"upper_95": 3.7410212439}])
    assert row["changed_columns"] == ["upper_95"]


def test_an_added_row(compare: Compare) -> None:
    [row] = compare([], [{}])
    assert (row["change"], row["reason"], row["changed_columns"]) == ("added", "new release", [])
    assert numbers(row) | {"new_value": 5.0, **HIDDEN} == numbers(row)


def test_a_removed_row_does_not_repeat_its_numbers(compare: Compare) -> None:
    [row] = compare([{}], [])
    assert (row["change"], row["reason"]) == ("removed", "no longer in the newest release")
    assert set(numbers(row).values()) == {None}
    assert (row["organisation_code"], row["organisation_name"], row["period_label"]) == ("RAA", "A Trust", "2023")


def test_a_changed_number(compare: Compare) -> None:
    [row] = compare([{}], [{"numerator": 11.0, "value": 5.5}])
    assert (row["change"], row["reason"]) == ("changed", "revision")
    assert row["changed_columns"] == ["numerator", "value"]
    assert numbers(row) == {
        "old_value": 5.0,
        "new_value": 5.5,
        "old_numerator": 10.0,
        "new_numerator": 11.0,
        "old_denominator": 2000.0,
        "new_denominator": 2000.0,
    }


def test_a_change_without_a_new_release_is_ours(compare: Compare) -> None:
    [row] = compare([{}], [{"value": 5.1, "release_key": "old"}])
    assert (row["change"], row["reason"]) == ("changed", "method or reference data")


@pytest.mark.parametrize("column", ["publisher_value", "adjusted_value", "adjusted_lower_95", "adjusted_upper_95"])
def test_a_change_of_the_publishers_own_numbers_is_told(compare: Compare, column: str) -> None:
    [row] = compare([{}], [{column: 4.2}])
    assert (row["change"], row["changed_columns"]) == ("changed", [column])


def test_a_change_of_the_band_is_told(compare: Compare) -> None:
    [row] = compare([{"publisher_band": "Within 5%"}], [{"publisher_band": "Over 5% higher"}])
    assert (row["change"], row["changed_columns"]) == ("changed", ["publisher_band"])


def test_a_newly_masked_cell_does_not_repeat_what_it_showed(compare: Compare) -> None:
    [row] = compare([{}], [MASKED])
    assert (row["change"], row["reason"]) == ("masked", "revision")
    assert set(numbers(row).values()) == {None}


def test_an_unmasked_cell_shows_its_number(compare: Compare) -> None:
    [row] = compare([MASKED], [{}])
    assert row["change"] == "unmasked"
    assert numbers(row) | {"new_value": 5.0, **HIDDEN} == numbers(row)


def test_a_cell_that_stays_masked_is_no_change(compare: Compare) -> None:
    assert compare([MASKED], [MASKED]) == []


def test_a_withheld_denominator_takes_the_exact_old_rate_with_it(compare: Compare) -> None:
    """The count over the exact old rate would be the denominator."""
    [row] = compare(
        [{"value": 3 / 2003 * 1000, "numerator": 3.0, "denominator": 2003.0}],
        [{"numerator": 3.0, "denominator": None, "value": 1.5}],
    )
    assert row["change"] == "changed"
    assert numbers(row) | HIDDEN | {"old_numerator": 3.0} == numbers(row)


def test_a_correction_of_ours_is_told_as_one(compare: Compare) -> None:
    mended = BASE | {"value": 5.5, "numerator": 11.0, "usage_warnings": ["corrected"]}
    [row] = compare([BASE], [mended])
    assert (row["change"], row["reason"]) == ("changed", "correction")


def test_a_correction_that_stood_before_is_no_reason(compare: Compare) -> None:
    mended = {"usage_warnings": ["corrected"]}
    [row] = compare([BASE | mended], [BASE | mended | {"value": 5.5, "release_key": "new"}])
    assert row["reason"] == "revision"


def test_a_trust_that_moved(compare: Compare) -> None:
    [row] = compare([{}], [{"lms_code": "QBB", "release_key": "old"}])
    assert (row["change"], row["reason"], row["lms_code"]) == ("moved", "membership", "QBB")


def test_a_sum_that_became_incomplete_does_not_repeat_its_value(compare: Compare) -> None:
    whole = {"lms_name": "A LMS", "value_min": 5.0, "value_max": 5.0, "trusts_expected": 2, "trusts_reporting": 2}
    broken = MASKED | {"is_suppressed": False, "value_min": 4.0, "value_max": 6.0, "trusts_reporting": 1}
    [row] = compare([whole], [whole | broken], "lms_indicator")
    assert (row["mart"], row["organisation_code"], row["change"]) == ("lms_indicator", "QAA", "changed")
    assert set(numbers(row).values()) == {None}
    assert {"value", "value_min", "value_max", "trusts_reporting"} <= set(row["changed_columns"])


def test_bounds_that_moved_are_told(compare: Compare) -> None:
    broken = MASKED | {"is_suppressed": False, "value_min": 4.0, "value_max": 6.0}
    [row] = compare([broken], [broken | {"value_max": 6.5}], "lms_indicator")
    assert (row["change"], row["changed_columns"]) == ("changed", ["value_max"])


@pytest.mark.parametrize(
    ("mart", "code", "columns"),
    [
        ("region_indicator", "Y60", {"region_code": "Y60", "region_name": "Midlands"}),
        ("england_indicator", "E92000001", {}),
        ("organisation_indicator", "site:RAA01", {"level": "site", "organisation_code": "RAA01"}),
    ],
)
def test_every_mart_is_compared(compare: Compare, mart: str, code: str, columns: Row) -> None:
    [row] = compare([columns], [columns | {"value": 6.0}], mart)
    assert (row["mart"], row["organisation_code"], row["lms_code"], row["change"]) == (mart, code, None, "changed")


def test_breakdowns_and_periods_are_rows_of_their_own(compare: Compare) -> None:
    rows = compare(
        [{}, {"breakdown": "ethnicity", "breakdown_value": "White"}],
        [{}, {"breakdown": "ethnicity", "breakdown_value": "White", "value": 6.0}, {"period_start": "2022-01-01"}],
    )
    assert sorted((row["change"], row["breakdown"]) for row in rows) == [("added", "all"), ("changed", "ethnicity")]


def test_a_last_edition_of_an_older_shape_is_compared_by_what_it_has(compare: Compare, tmp_path: Path) -> None:
    last = make(tmp_path / "20250101T000000-old", "trust_indicator", [BASE])
    with duckdb.connect(str(last / "perinatal.duckdb")) as connection:
        for column in ("adjusted_value", "months_covered"):
            connection.execute(f"alter table marts.trust_indicator drop column {column}")
        connection.execute("drop table marts.organisation_indicator")
    now = make(tmp_path / "later", "trust_indicator", [BASE | {"value": 6.0, "adjusted_value": 1.0}])
    assert changes.record(now / "perinatal.duckdb", last) == 1


def test_a_change_says_what_months_it_covers_and_whether_it_is_invented(compare: Compare) -> None:
    window = {"months_covered": 3, "usage_warnings": ["rolling_window", "synthetic"]}
    gone = window | {"trust_code": "RBB"}
    rows = compare([window, gone], [window | {"value": 6.0}, {"trust_code": "RCC", "months_covered": 12}])
    assert [(row["change"], row["months_covered"], row["is_synthetic"]) for row in rows] == [
        ("changed", 3, True),
        ("removed", 3, True),
        ("added", 12, False),
    ]


def test_an_entry_that_was_not_there_is_new(tmp_path: Path) -> None:
    columns = "level varchar, organisation_code varchar, concept_id varchar, is_new boolean"
    entries = {"last": ["stillbirth"], "now": ["stillbirth", "pph_1500ml"]}
    for folder, concepts in entries.items():
        with duckdb.connect(str(make(tmp_path / folder, "trust_indicator", []) / "perinatal.duckdb")) as connection:
            connection.execute(f"create table marts.attention ({columns})")
            for concept in concepts:
                connection.execute("insert into marts.attention values ('trust', 'RAA', ?, null)", [concept])
    changes.record(tmp_path / "now" / "perinatal.duckdb", tmp_path / "last")
    with duckdb.connect(str(tmp_path / "now" / "perinatal.duckdb"), read_only=True) as connection:
        found = connection.sql("select concept_id, is_new from marts.attention order by 1").fetchall()
    assert found == [("pph_1500ml", True), ("stillbirth", False)]
