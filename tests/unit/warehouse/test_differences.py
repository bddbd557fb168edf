"""What two candidates differ in: every kind of difference is seen, and rounding is none."""

from pathlib import Path

import duckdb
import pytest

from warehouse.differences import compare

ROWS = """
(values ('R0A', 2023, 1.5::double, ['a']), ('R0B', 2023, null, []), ('R0C', 2024, 1e-9, ['b']))
as t(code, year, value, words)
"""


def made(path: Path, *statements: str) -> Path:
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts; create schema core; create schema reference")
        connection.execute(f"create table marts.rate as select * from {ROWS}")
        for statement in statements:
            connection.execute(statement)
    return path


@pytest.mark.parametrize(
    ("change", "columns"),
    [
        ("update marts.rate set value = value * (1 + 1e-14) where code = 'R0A'", {}),
        ("update marts.rate set value = value * (1 + 1e-10) where code = 'R0C'", {"value": 1}),
        ("update marts.rate set value = 0 where code = 'R0B'", {"value": 1}),
        ("update marts.rate set words = ['b', 'a'] where code = 'R0A'", {"words": 1}),
        ("update marts.rate set code = 'R0D' where code = 'R0C'", {"code": 1}),
        ("alter table marts.rate alter year type bigint", {"year": 1}),
        ("alter table marts.rate add column new integer", {"new": 1}),
    ],
)
def test_a_change_is_seen(tmp_path: Path, change: str, columns: dict[str, int]) -> None:
    [table] = compare(made(tmp_path / "left.duckdb"), made(tmp_path / "right.duckdb", change))
    assert (table.table, table.columns, table.is_equal) == ("marts.rate", columns, not columns)


def test_a_row_or_a_table_that_one_side_lacks_is_seen(tmp_path: Path) -> None:
    left = made(tmp_path / "left.duckdb", "create table core.fact as select 1 as a", "create table reference.a (b int)")
    right = made(tmp_path / "right.duckdb", "delete from marts.rate where code = 'R0B'")
    found = {table.table: table for table in compare(left, right)}
    assert {name: table.rows for name, table in found.items()} == {"core.fact": (1, -1), "marts.rate": (3, 2)}
    assert not any(table.is_equal for table in found.values())


def test_an_example_says_where(tmp_path: Path) -> None:
    right = made(tmp_path / "right.duckdb", "update marts.rate set value = 2 where code = 'R0A'")
    [table] = compare(made(tmp_path / "left.duckdb"), right)
    assert table.examples == ("value: 1.5 | 2.0 in code=R0A, year=2023, value=1.5, words=['a']",)
