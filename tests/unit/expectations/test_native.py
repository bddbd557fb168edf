"""Native expectations run inside DuckDB, and say how many rows fail and which."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from expectations.native import validate
from expectations.results import Result
from expectations.standards import Standard
from perinatal.errors import PerinatalError
from perinatal.settings import PROJECT_ROOT

ROWS = """
    select * from (values
        (1, 'RAA', 'First', 'Stillbirths', 10, 8, date '2024-01-01', date '2024-01-31'),
        (2, 'RAB', 'Second', 'Stillbirths', -1, 3, date '2024-02-28', date '2024-02-01'),
        (3, 'rac', 'Third', null, 7, 3, date '2024-01-01', date '2024-01-31'),
        (4, 'RAA', 'First', 'Stillbirths', 10, 20, date '2024-01-01', date '2024-01-31'),
        (5, 'rac', 'Third', null, null, 1, date '2024-01-01', date '2024-01-31'))
    as t(source_row, trust_code, trust_name, measure, births, deaths, starts, ends)
"""


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a landed release as the arrival gate sees it: a view over Parquet in a database in memory."""
    with duckdb.connect() as opened:
        opened.execute(f"copy ({ROWS}) to '{tmp_path / 'rows.parquet'}' (format parquet)")
        opened.from_parquet(str(tmp_path / "rows.parquet")).create_view("rows")
        yield opened


def asked(kind: str, **kwargs: Any) -> Standard:
    return Standard(id="asked", type=kind, kwargs=kwargs, problem="Wrong")


def one(connection: duckdb.DuckDBPyConnection, kind: str, **kwargs: Any) -> Result:
    [found] = validate(connection, "rows", [asked(kind, **kwargs)])
    return found


def failing(found: Result) -> list[int]:
    return sorted(row["source_row"] for row in found.sample_rows)


CODE = "^R[A-Z]{2}$"
BETWEEN = "expect_column_values_to_be_between"
IN_SET = "expect_column_values_to_be_in_set"
REGEX = "expect_column_values_to_match_regex"
NO_REGEX = "expect_column_values_to_not_match_regex"
FILLED = "expect_column_values_to_not_be_null"
UNIQUE = "expect_column_values_to_be_unique"
COMPOUND = "expect_compound_columns_to_be_unique"
PAIR = "expect_column_pair_values_a_to_be_greater_than_b"
SUM = "expect_multicolumn_sum_to_equal"
ROWS_QUERY = "unexpected_rows_expectation"
ENDS_FIRST = "select source_row, trust_name from {batch} where ends < starts"
JOINED = "select a.source_row from {batch} as a join {batch} as b on b.source_row = a.source_row + 3"


@pytest.mark.parametrize(
    ("kind", "kwargs", "rows"),
    [
        (FILLED, {"column": "trust_code"}, []),
        (FILLED, {"column": "measure"}, [3, 5]),
        (IN_SET, {"column": "measure", "value_set": ["Stillbirths"]}, []),
        (IN_SET, {"column": "trust_name", "value_set": ["First", "Ann's"]}, [2, 3, 5]),
        (IN_SET, {"column": "ends", "value_set": ["2024-01-31"]}, [2]),
        (IN_SET, {"column": "deaths", "value_set": [1, 2, 3]}, [1, 4]),
        (BETWEEN, {"column": "births", "min_value": -1, "max_value": 10}, []),
        (BETWEEN, {"column": "births", "min_value": 0}, [2]),
        (REGEX, {"column": "trust_code", "regex": "(?i)^R"}, []),
        (REGEX, {"column": "trust_code", "regex": CODE}, [3, 5]),
        (REGEX, {"column": "births", "regex": r"^\d+$"}, [2]),
        (NO_REGEX, {"column": "trust_code", "regex": CODE}, [1, 2, 4]),
        (UNIQUE, {"column": "source_row"}, []),
        (UNIQUE, {"column": "births"}, [1, 4]),
        (COMPOUND, {"column_list": ["trust_code", "deaths"]}, []),
        (COMPOUND, {"column_list": ["trust_code", "measure"]}, [1, 3, 4, 5]),
        (PAIR, {"column_A": "births", "column_B": "deaths", "or_equal": True}, [2, 4]),
        (PAIR, {"column_A": "births", "column_B": "source_row"}, [2]),
        (SUM, {"column_list": ["source_row", "deaths"], "sum_total": 6}, [1, 2, 4]),
        (ROWS_QUERY, {"unexpected_rows_query": "select source_row from {batch} where deaths > 99"}, []),
        (ROWS_QUERY, {"unexpected_rows_query": ENDS_FIRST}, [2]),
        (ROWS_QUERY, {"unexpected_rows_query": JOINED}, [1, 2]),
    ],
)
def test_failing_rows_are_counted_and_named(
    connection: duckdb.DuckDBPyConnection, kind: str, kwargs: dict[str, Any], rows: list[int]
) -> None:
    found = one(connection, kind, **kwargs)
    assert (found.success, found.unexpected_count, failing(found)) == (not rows, len(rows), rows)
    assert found.element_count == 5


@pytest.mark.parametrize(
    ("kind", "kwargs", "success", "observed"),
    [
        ("expect_column_to_exist", {"column": "births"}, True, None),
        ("expect_column_to_exist", {"column": "no_such"}, False, None),
        ("expect_column_values_to_be_of_type", {"column": "starts", "type_": "DATE"}, True, None),
        ("expect_column_values_to_be_of_type", {"column": "births", "type_": "VARCHAR"}, False, None),
        (
            "expect_column_values_to_be_in_type_list",
            {"column": "births", "type_list": ["BIGINT", "integer"]},
            True,
            None,
        ),
        ("expect_table_row_count_to_be_between", {"min_value": 5}, True, 5),
        ("expect_table_row_count_to_be_between", {"min_value": 6}, False, 5),
        ("expect_column_unique_value_count_to_be_between", {"column": "ends", "max_value": 1}, False, 2),
        ("expect_column_max_to_be_between", {"column": "starts", "max_value": date(2024, 12, 31)}, True, None),
    ],
)
def test_what_is_asked_of_a_whole_column_or_table(
    connection: duckdb.DuckDBPyConnection, kind: str, kwargs: dict[str, Any], success: bool, observed: object
) -> None:
    found = one(connection, kind, **kwargs)
    assert (found.success, found.unexpected_count) == (success, None)
    assert observed is None or found.observed == observed


def test_a_share_of_rows_may_fail(connection: duckdb.DuckDBPyConnection) -> None:
    strict, lenient = validate(
        connection,
        "rows",
        [asked(REGEX, column="trust_code", regex=CODE, mostly=m) for m in (0.7, 0.6)],
    )
    assert (strict.success, lenient.success) == (False, True)
    assert strict.unexpected_percent == lenient.unexpected_percent == pytest.approx(40)


def test_results_come_in_the_order_asked_with_what_was_said(connection: duckdb.DuckDBPyConnection) -> None:
    wanted = [
        asked(COMPOUND, column_list=["trust_code", "measure"]).model_copy(update={"severity": "warn", "id": "twice"}),
        asked("expect_column_to_exist", column="births").model_copy(update={"severity": "info"}),
        asked(ROWS_QUERY, unexpected_rows_query=ENDS_FIRST).model_copy(update={"owner": "Insights"}),
    ]
    found = validate(connection, "rows", wanted)
    assert [(item.rule, item.expectation, item.severity) for item in found] == [
        ("twice", COMPOUND, "warn"),
        ("asked", "expect_column_to_exist", "info"),
        ("asked", ROWS_QUERY, "block"),
    ]
    assert [item.source_rows for item in found] == [[[1, 1], [3, 5]], [], []]  # kept where a warning is about rows
    assert (found[1].message, found[2].owner) == ("", "Insights")
    assert found[2].unexpected_percent == pytest.approx(20)
    assert found[2].sample_rows == [{"source_row": 2, "trust_name": "Second"}]
    assert found[2].message == "Wrong: 1 of 5 rows (row 2; Second)"


def test_examples_are_few_and_show_what_may_be_shown(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        "create table many as select i as source_row, 'A' as trust_name, i as deaths from range(1, 9) t(i)"
    )
    standard = asked(ROWS_QUERY, unexpected_rows_query="select * from {batch} where deaths > 2")
    [found] = validate(
        connection, "many", [standard], shown=lambda _: lambda columns: [c for c in columns if c != "deaths"]
    )
    assert (found.unexpected_count, failing(found)) == (6, [3, 4, 5, 6, 7])
    assert found.sample_rows[0] == {"source_row": 3, "trust_name": "A"}


def test_nothing_asked_is_nothing_found(connection: duckdb.DuckDBPyConnection) -> None:
    assert validate(connection, "rows", []) == []


@pytest.mark.parametrize(
    ("expectation", "reason"),
    [
        (asked(ROWS_QUERY, unexpected_rows_query="select none from {batch} where no"), "asked .*no"),
        (asked(FILLED, column="no_such"), "no_such.*does not exist"),
        (asked(BETWEEN, column="trust_name", min_value=1), "trust_name.*Cannot compare"),
        (asked(REGEX, column="trust_name", regex="("), "trust_name.*missing"),
        (asked("expect_nonsense"), "expect_nonsense not found"),
        (asked(IN_SET, colum="births"), "column field required"),
    ],
)
def test_what_cannot_be_evaluated_is_an_error(
    connection: duckdb.DuckDBPyConnection, expectation: Standard, reason: str
) -> None:
    fine = asked(FILLED, column="trust_code")
    with pytest.raises(PerinatalError, match=reason) as raised:
        validate(connection, "rows", [fine, expectation])
    assert str(raised.value).count(FILLED) == (expectation.type == FILLED)
    assert "\n" not in str(raised.value)
    assert one(connection, FILLED, column="trust_code").success


def test_a_closed_connection_is_an_error(connection: duckdb.DuckDBPyConnection) -> None:
    connection.close()
    with pytest.raises(PerinatalError, match="closed"):
        one(connection, FILLED, column="trust_code")


def test_a_table_that_is_absent_is_an_error(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(PerinatalError, match="no_such"):
        validate(connection, "no_such", [asked(FILLED, column="trust_code")])


def test_the_connection_and_its_transaction_stay_the_callers(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("set variable release = '2024-01'")
    connection.execute("begin")
    connection.execute("create table kept as select 1 as one")
    query = "select source_row from {batch} where getvariable('release') <> '2024-01'"
    assert one(connection, ROWS_QUERY, unexpected_rows_query=query).success
    one(connection, COMPOUND, column_list=["trust_code", "measure"])
    connection.execute("rollback")
    assert connection.execute("select table_name from duckdb_tables()").fetchall() == []


def test_an_attached_candidate_is_read_only_and_judged_by_schema(tmp_path: Path) -> None:
    for name in ("candidate", "last"):
        with duckdb.connect(str(tmp_path / f"{name}.duckdb")) as made:
            made.execute(f"create schema marts; create table marts.trust_indicator as {ROWS}")
    with duckdb.connect(str(tmp_path / "candidate.duckdb"), read_only=True) as opened:
        opened.execute(f"attach '{tmp_path / 'last.duckdb'}' as last (read_only)")
        lost = (
            "select source_row from {batch} where source_row not in (select source_row from last.marts.trust_indicator)"
        )
        wanted = [asked(FILLED, column="measure"), asked(ROWS_QUERY, unexpected_rows_query=lost)]
        for schema in ("marts", "candidate.marts", "last.marts"):
            filled, kept = validate(opened, f"{schema}.trust_indicator", wanted)
            assert (failing(filled), kept.success) == ([3, 5], True)


def test_a_table_without_row_numbers_has_examples_too(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create table plain as select births from rows")
    [found] = validate(connection, "plain", [asked(BETWEEN, column="births", min_value=0)])
    assert (found.unexpected_count, found.sample_rows) == (1, [{"births": -1}])


def test_connections_are_judged_at_the_same_time(tmp_path: Path) -> None:
    def judged(low: int) -> int | None:
        with duckdb.connect() as opened:
            opened.execute(f"create table rows as {ROWS}")
            return one(opened, BETWEEN, column="deaths", min_value=low).unexpected_count

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(judged, [0, 3, 8, 9, 99, 2])) == [0, 1, 3, 4, 5, 1]


def test_importing_is_cheap_and_nothing_is_said_or_sent() -> None:
    script = (
        "import sys, duckdb; from expectations.native import validate; from expectations.standards import Standard\n"
        "assert 'great_expectations' not in sys.modules and 'sqlalchemy' not in sys.modules\n"
        "with duckdb.connect() as c:\n"
        "    c.execute('create table t as select 1 as x')\n"
        "    asked = Standard(id='x', type='expect_column_to_exist', kwargs={'column': 'x'})\n"
        "    assert validate(c, 't', [asked])[0].success\n"
        "import os; assert os.environ['GX_ANALYTICS_ENABLED'] == 'false'"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_a_spark_that_cannot_be_connected_to_does_not_end_the_program(tmp_path: Path) -> None:
    """Spark's client exits with 0 where its own parts are missing and no file is run; the library imports it."""
    client = tmp_path / "pyspark" / "sql" / "connect"
    client.mkdir(parents=True)
    for folder in (client.parent.parent, client.parent):
        (folder / "__init__.py").touch()
    (client / "__init__.py").write_text("import sys; sys.exit(0)")
    script = "from expectations.native import library; library(); print('imported')"
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{PROJECT_ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "imported\n", "")


def test_more_failing_rows_than_the_library_reads_are_counted_and_their_organisations_named(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """The library reads 200 of them, and leaves the rest unread on the connection."""
    connection.execute(
        "create view many as select i as source_row, 'Trust ' || i % 7 as trust_name from range(900) t(i)"
    )
    query = asked("unexpected_rows_expectation", unexpected_rows_query="select * from {batch} where source_row > 9")
    [found] = validate(connection, "many", [query])
    assert found.unexpected_count == 890
    assert "Trust 0" in found.message
    assert connection.execute("select count(*) from many").fetchall() == [(900,)]
