"""The rows that fail a standard: organisations by name, and the connection free for the next question."""

import duckdb
import pytest

from expectations.failing import FailingRows


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    made.execute(
        "create table lms_of_trust_rows as select * from (values ('RAA', 'QAA', 'A trust'), ('RBB', 'QBB', null))"
        " as t (trust_code, lms_code, trust_name)"
    )
    made.execute("create view lms_of_trust as from lms_of_trust_rows")
    return made


def test_trusts_are_named_and_counted(connection: duckdb.DuckDBPyConnection) -> None:
    rows = "select * from (values ('RAA'), ('RAA'), ('RBB'), ('RCC')) as t (trust_code)"
    failing = FailingRows(connection, rows, lambda columns: columns)
    assert failing.organisations() == (["A trust (RAA)", "RBB", "RCC"], 3)
    assert failing.affected_lms() == ["QAA", "QBB"]
