"""What was found: kept in manifests, shown in alerts, and read again from homes of an earlier version."""

import json

import duckdb
import pytest

from expectations import messages
from expectations.failing import MOST_RANGES, FailingRows, records
from expectations.native import everything
from expectations.results import Result
from expectations.standards import Standard


def result(**changes: object) -> Result:
    base: dict[str, object] = {
        "suite": "s",
        "rule": "r",
        "expectation": "unexpected_rows_expectation",
        "severity": "warn",
        "dimension": "validity",
        "success": False,
        "observed": 3.0,
        "minimum": None,
        "maximum": None,
        "message": "Births are below 0: 3 of 9 rows",
        "remedy": "ask",
        "owner": "us",
        "affected_marts": ["marts.trust_indicator"],
        "sample_rows": [{"source_row": 1}],
    }
    return Result(**base | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("severity", "success", "blocks", "alerts"),
    [
        ("block", False, True, True),
        ("warn", False, False, True),
        ("info", False, False, False),
        ("block", True, False, False),
        ("warn", True, False, False),
    ],
)
def test_what_a_verdict_leads_to(severity: str, success: bool, blocks: bool, alerts: bool) -> None:
    found = result(severity=severity, success=success)
    assert (found.blocks, found.is_told) == (blocks, alerts)


def test_a_verdict_survives_its_manifest() -> None:
    found = result(release_key="a/b", kwargs={"column": "x"}, source_rows=[[1, 3]], element_count=9, unexpected_count=3)
    assert Result.read(json.loads(json.dumps(found.to_dict()))) == found


def test_a_manifest_of_an_earlier_version_is_read() -> None:
    later = ("kwargs", "element_count", "unexpected_count", "unexpected_percent", "description", "why", "source_rows")
    earlier = {name: value for name, value in result().to_dict().items() if name not in later}
    assert Result.read(earlier) == result()


def test_a_verdict_as_breach() -> None:
    breach = result(release_key="a/b", why="It matters.").as_breach()
    assert (breach.rule, breach.severity, breach.count, breach.release_key) == ("r", "warn", 3, "a/b")
    assert (breach.why, breach.sample_rows) == ("It matters.", [{"source_row": 1}])


@pytest.mark.parametrize(
    ("changes", "rows"),
    [
        ({}, [[1, 3]]),
        ({"severity": "block"}, []),
        ({"success": True}, []),
        ({"unexpected_count": 9}, []),
    ],
)
def test_a_warning_reaches_its_rows_unless_it_is_about_all(changes: dict[str, object], rows: list[list[int]]) -> None:
    found = result(**{"source_rows": [[1, 3]], "element_count": 9, "unexpected_count": 3, **changes})
    assert found.warned_rows == rows


STANDARD = Standard(id="r", type="expect_column_to_exist", problem="Start dates are swapped")


def failing(connection: duckdb.DuckDBPyConnection, sql: str) -> FailingRows:
    return FailingRows(connection, sql, everything)


def test_a_message_says_how_many_rows_where_and_whose() -> None:
    sql = "select i as source_row, 'Trust ' || i % 5 as organisation_name from range(1, 1001) t(i)"
    with duckdb.connect() as connection:
        found = messages.of_rows(STANDARD, failing(connection, sql), 1000, 83781)
    assert found == (
        "Start dates are swapped: 1,000 of 83,781 rows "
        "(first in rows 1, 2, 3, 4, 5; Trust 0, Trust 1, Trust 2 and 2 more)"
    )


def test_a_message_on_what_is_no_row_shows_the_finding() -> None:
    with duckdb.connect() as connection:
        assert messages.of_rows(STANDARD, failing(connection, "select 0.525 as share"), 1, 9).endswith(
            "swapped (share 0.525)"
        )
        several = failing(connection, "select 'RXX' as trust_code from range(2)")
        assert messages.of_rows(STANDARD, several, 2, 9).endswith(": 2 found (RXX)")


def test_a_message_on_a_number_says_what_was_expected() -> None:
    standard = STANDARD.model_copy(update={"kwargs": {"min_value": 125}})
    assert messages.of_number(standard, 63) == "Start dates are swapped: 63 found, at least 125 expected"
    assert messages.of_number(standard, None) == "Start dates are swapped"


def test_rows_are_kept_as_ranges_and_too_many_are_not() -> None:
    with duckdb.connect() as connection:
        some = failing(connection, "select unnest([1, 2, 3, 7, 7, 9, 10, null]) as source_row")
        assert some.source_rows() == [[1, 3], [7, 7], [9, 10]]
        scattered = failing(connection, f"select 2 * i as source_row from range({MOST_RANGES + 1}) t(i)")
        assert scattered.source_rows() == []
        assert failing(connection, "select 1 as share").source_rows() == []


def test_rows_can_be_written_as_json() -> None:
    with duckdb.connect() as connection:
        found = records(
            connection.sql(
                "select date '2024-01-31' as d, 1.5::decimal(3, 1) as n, 'nan'::double as x, null as z, ['a'] as l"
            )
        )
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found[0]["d"] == "2024-01-31"


def test_shares_are_shown_to_three_digits() -> None:
    """All sixteen digits of a share of births are the number of births."""
    found = records(
        duckdb.sql("select 4711 / 5840 as share, 0.8067::decimal(6, 4) as printed, 5840.0::double as births")
    )
    assert found == [{"share": 0.807, "printed": 0.807, "births": 5840.0}]
