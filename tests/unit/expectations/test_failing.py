"""The rows that fail a standard: organisations by name, and the connection free for the next question."""

import duckdb
import pytest

from expectations.failing import FailingRows


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    made.execute(
        "create table organisations as select * from (values ('RAA', 'trust', 'QAA', 'A trust'), "
        "('RBB', 'trust', 'QBB', null), ('E92000001', 'england', null, 'England'), ('QAA', 'lms', 'QAA', 'A system'))"
        " as t (code, level, lms_code, name)"
    )
    made.execute("create view organisation_today as from organisations")
    return made


def test_trusts_are_named_and_counted(connection: duckdb.DuckDBPyConnection) -> None:
    rows = "select * from (values ('RAA'), ('RAA'), ('RBB'), ('RCC')) as t (trust_code)"
    failing = FailingRows(connection, rows, lambda columns: columns)
    assert failing.organisations() == (["A trust (RAA)", "RBB", "RCC"], 3)
    assert failing.affected_lms() == ["QAA", "QBB"]


def test_areas_are_named_too(connection: duckdb.DuckDBPyConnection) -> None:
    rows = "select * from (values ('E92000001'), ('QAA')) as t (area_code)"
    failing = FailingRows(connection, rows, lambda columns: columns)
    assert failing.organisations() == (["England (E92000001)", "A system (QAA)"], 2)
