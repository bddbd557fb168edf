"""What two candidates differ in, row for row: the same marts made by two engines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from perinatal.sql import attach, identifier

SCHEMAS = ("core", "marts", "quality")
TOLERANCE = 1e-12  # of numbers, relative; everything else is equal or not
EXAMPLES = 3


@dataclass(frozen=True)
class TableDifference:
    """One table: its rows on either side, and for each column how many rows differ, with examples (left, right)."""

    table: str
    rows: tuple[int, int]
    columns: dict[str, int]
    examples: tuple[str, ...]

    @property
    def is_equal(self) -> bool:
        """Return whether nothing differs."""
        return self.rows[0] == self.rows[1] and not self.columns


def compare(left: Path, right: Path) -> list[TableDifference]:
    """Compare every table of `core`, `marts` and `quality` that either DuckDB file has.

    Rows are put side by side in the order of all their columns, numbers with fractions last. A table that one side
    lacks has -1 rows there.
    """
    with duckdb.connect() as connection:
        attach(connection, left, "a")
        attach(connection, right, "b")
        tables = connection.execute(
            "select distinct schema_name, table_name from duckdb_tables() "
            "where database_name in ('a', 'b') and list_contains(?, schema_name) order by all",
            [list(SCHEMAS)],
        ).fetchall()
        return [_table(connection, f"{schema}.{identifier(name)}") for schema, name in tables]


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str] | None:
    try:
        return {name: kind for name, kind, *_ in connection.execute(f"describe {table}").fetchall()}
    except duckdb.CatalogException:
        return None


def _table(connection: duckdb.DuckDBPyConnection, table: str) -> TableDifference:
    left, right = (_columns(connection, f"{side}.{table}") for side in "ab")
    name = table.replace('"', "")
    rows = tuple(
        -1 if columns is None else _one(connection, f"select count(*) from {side}.{table}")
        for side, columns in (("a", left), ("b", right))
    )
    if left is None or right is None:
        return TableDifference(name, (rows[0], rows[1]), {}, ())
    kinds = {column: 1 for column in left.keys() ^ right.keys()}
    kinds |= {column: 1 for column in left.keys() & right.keys() if left[column] != right[column]}
    shared = [column for column in left if column in right]
    _side_by_side(connection, table, shared, left)
    conditions = {
        column: differs(f"a.{identifier(column)}", f"b.{identifier(column)}", left[column]) for column in shared
    }
    counts = {
        column: _one(connection, f"select count(*) from pairs where {condition}")
        for column, condition in conditions.items()
    }
    found = {column: count for column, count in counts.items() if count}
    examples = [line for column in found for line in _examples(connection, column, conditions[column])]
    return TableDifference(name, (rows[0], rows[1]), kinds | found, tuple(examples))


def _side_by_side(connection: duckdb.DuckDBPyConnection, table: str, columns: list[str], kinds: dict[str, str]) -> None:
    """Make the table `pairs`: `a` and `b` of each row, as structs, NULL where a side has no such row."""
    exact = [identifier(column) for column in columns if kinds[column] != "DOUBLE"]
    numbers = [identifier(column) for column in columns if kinds[column] == "DOUBLE"]
    order = ", ".join([*exact, *numbers])
    fields = ", ".join(f"{identifier(column)} := {identifier(column)}" for column in columns)
    one = "select row_number() over (order by {order}) as place, struct_pack({fields}) as row from {side}.{table}"
    a, b = (one.format(order=order, fields=fields, side=side, table=table) for side in "ab")
    connection.execute(
        f"create or replace temp table pairs as "
        f"select a.row as a, b.row as b from ({a}) as a full join ({b}) as b using (place)"
    )


def differs(left: str, right: str, kind: str) -> str:
    """Return the condition that two values of a type of DuckDB's differ: fractions by more than engines do."""
    different = f"{left} is distinct from {right}"
    if kind != "DOUBLE":
        return f"({different})"
    return (
        f"({different} and coalesce(abs({left} - {right}) > {TOLERANCE} * greatest(abs({left}), abs({right})), true))"
    )


def _examples(connection: duckdb.DuckDBPyConnection, column: str, condition: str) -> list[str]:
    name = identifier(column)
    rows = connection.execute(f"select a.{name}, b.{name}, a from pairs where {condition} limit {EXAMPLES}").fetchall()
    return [f"{column}: {a!r} | {b!r} in {_in_short(row)}" for a, b, row in rows]


def _in_short(row: dict[str, Any] | None) -> str:
    """Return the first filled columns of a row, to find it by."""
    filled = [f"{name}={value}" for name, value in (row or {}).items() if value is not None]
    return ", ".join(filled[:8])


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    [(number,)] = connection.execute(query).fetchall()
    return int(number)
