"""Masks and sentinels by source and column: masked and missing cells are empty and named; 0 stays 0."""

import duckdb
import pytest

from expectations.no_values import without_no_values
from ingest.registry import source


def seen(source_id: str, layout: str, asked: str, **cells: object) -> tuple[object, ...]:
    """Return columns of one landed row as the gate and the warehouse see it."""
    columns = source(source_id).columns[layout]
    given: dict[str, object] = {column.name: None for column in columns} | {"cell_words": None} | cells
    with duckdb.connect() as connection:
        typed = {column.name: column.sql_type for column in columns} | {"cell_words": "varchar"}
        row = ", ".join(f"${name}::{kind} as {name}" for name, kind in typed.items())
        connection.execute(f"create table landed as select {row}", given)
        return connection.execute(
            f"select {asked} from ({without_no_values('landed', columns, set(given))})"
        ).fetchall()[0]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", ("0", None, None)),
        ("5.0", ("5.0", None, None)),
        ("-1", (None, ["value"], None)),
        ("-1.0", (None, ["value"], None)),
        ("*", (None, ["value"], None)),
        ("[c]", (None, ["value"], None)),
        (" [C] ", (None, ["value"], None)),
        ("[low]", (None, ["value"], None)),
        ("[x]", (None, None, ["value"])),
        ("[z]", (None, None, ["value"])),
        ("-99", (None, None, ["value"])),
        ("-999", (None, None, ["value"])),
        ("DNS", ("DNS", None, None)),
        ("Low DQ", ("Low DQ", None, None)),
        (None, (None, None, None)),
    ],
)
def test_msds_values(value: str | None, expected: tuple[object, ...]) -> None:
    assert seen("msds", "monthly_measures", "value, masked_cells, missing_cells", value=value) == expected


def test_a_word_beside_numbers_is_kept_from_the_file() -> None:
    asked = "numerator, denominator, masked_cells"
    assert seen("nmpa", "measure", asked, numerator=None, denominator=30, cell_words="numerator=[c]") == (
        None,
        30,
        ["numerator"],
    )


@pytest.mark.parametrize("number", [-1, -99, -999])
def test_fingertips_sentinels_are_no_values(number: int) -> None:
    cells = {"value": number, "lower_95": number, "upper_95": number, "count": None}
    assert seen("fingertips", "data", "value, lower_95, upper_95, masked_cells", **cells) == (None, None, None, None)


def test_a_negative_value_between_its_limits_is_a_value() -> None:
    asked = "value, lower_95, upper_95, missing_cells"
    assert seen("fingertips", "data", asked, value=-1, lower_95=-2.5, upper_95=0.5) == (-1, -2.5, 0.5, None)


def test_a_leaked_limit_beside_a_good_value_is_missing_alone() -> None:
    asked = "value, lower_95, missing_cells"
    assert seen("fingertips", "data", asked, value=5, lower_95=-1, upper_95=-1) == (5, None, ["lower_95", "upper_95"])


@pytest.mark.parametrize(
    ("note", "masked", "missing"),
    [
        ("Value suppressed for disclosure control due to small count", ["value_note"], None),
        ("Value missing in the source data", None, ["value_note"]),
        ("Value for Hackney and City of London combined", None, None),
        ("Should be treated with caution", None, None),
    ],
)
def test_notes_that_say_there_is_no_value(note: str, masked: object, missing: object) -> None:
    found = seen("fingertips", "data", "masked_cells, missing_cells", value=3, count=7, value_note=note)
    assert found == (masked, missing)


def test_mbrrace_masks_are_minus_one_and_its_words_are_masks_too() -> None:
    asked = "stillbirths, neonatal_deaths, masked_cells"
    found = seen(
        "mbrrace", "perinatal_mortality", asked, stillbirths=-1, neonatal_deaths=None, cell_words="neonatal_deaths=[c]"
    )
    assert found == (None, None, ["stillbirths", "neonatal_deaths"])
