"""The arrival gate without the library: each native type as the SQL of its failing rows, hundreds of times faster.

For tests that land hundreds of files and ask whether parsers and standards are right, not whether the library is.
`tests/unit/expectations/test_arrival.py` holds it against the library itself.
"""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import duckdb

from expectations import native
from expectations.failing import FailingRows
from expectations.results import Result
from expectations.standards import COMPOUND, ROWS_QUERY, Standard
from perinatal.sql import identifier, literal, literals

CONDITIONS: dict[str, Callable[[str, dict[str, Any]], str]] = {
    "expect_column_values_to_be_null": lambda name, _: f"{name} is not null",
    "expect_column_values_to_not_be_null": lambda name, _: f"{name} is null",
    "expect_column_values_to_be_in_set": lambda name, said: f"{name} not in ({literals(said['value_set'])})",
    "expect_column_values_to_match_regex": lambda name, said: (
        f"not regexp_matches({name}::varchar, {literal(said['regex'])})"
    ),
    "expect_column_values_to_not_match_regex": lambda name, said: (
        f"regexp_matches({name}::varchar, {literal(said['regex'])})"
    ),
    "expect_column_values_to_be_unique": lambda name, _: (
        f"{name} in (select {name} from {{table}} group by 1 having count(*) > 1)"
    ),
}


def failing_sql(standard: Standard) -> str | None:
    """Return the SQL of the rows that fail, or None for what is asked of a whole column or table."""
    said, table = standard.kwargs, standard.table
    if standard.type == ROWS_QUERY:
        return standard.query_of(table)
    if standard.type == COMPOUND:
        key = ", ".join(map(identifier, said["column_list"]))
        return f"select * from {table} qualify count(*) over (partition by {key}) > 1"
    if standard.type == "expect_column_pair_values_a_to_be_greater_than_b":
        return f"select * from {table} where {identifier(said['column_A'])} < {identifier(said['column_B'])}"
    if standard.type == "expect_column_values_to_be_between":
        name, least, most = identifier(said["column"]), said.get("min_value"), said.get("max_value")
        outside = [f"{name} < {least}"] * (least is not None) + [f"{name} > {most}"] * (most is not None)
        return f"select * from {table} where {' or '.join(outside)}"
    if standard.type in CONDITIONS:
        where = CONDITIONS[standard.type](identifier(said["column"]), said).replace("{table}", table)
        return f"select * from {table} where {where}"
    return None


def whole(connection: duckdb.DuckDBPyConnection, standard: Standard) -> tuple[bool, Any]:
    """Return verdict and observed value of what is asked of a whole column or table."""
    said, table = standard.kwargs, connection.table(standard.table)
    if standard.type == "expect_table_columns_to_match_set":
        return set(table.columns) == set(said["column_set"]), table.columns
    if standard.type == "expect_column_distinct_values_to_contain_set":
        there = {value for (value,) in table.project(identifier(said["column"])).distinct().fetchall()}
        return there >= set(said["value_set"]), None
    if condition := said.get("row_condition"):
        column, _, value = condition.removeprefix('col("').partition('") == ')
        table = table.filter(f"{identifier(column)} = {literal(value.strip(chr(34)))}")
    counted = {
        "expect_table_row_count_to_be_between": "count(*)",
        "expect_column_unique_value_count_to_be_between": f"count(distinct {identifier(said.get('column', ''))})",
    }[standard.type]
    [(number,)] = table.aggregate(counted).fetchall()
    return said.get("min_value", number) <= number <= said.get("max_value", number), number


def validate_tables(
    connection: duckdb.DuckDBPyConnection,
    standards: Sequence[Standard],
    *,
    suite: str,
    shown: Callable[[Standard], Callable[[Sequence[str]], Sequence[str]]] = lambda _: native.everything,
) -> list[Result]:
    """Judge as `native.validate_tables` does."""
    return [_judged(connection, standard, suite, shown) for standard in standards]


def _judged(connection: duckdb.DuckDBPyConnection, standard: Standard, suite: str, shown: Any) -> Result:
    [(rows,)] = connection.execute(f"select count(*) from {standard.table}").fetchall()
    sql = failing_sql(standard)
    if sql is None:
        success, observed = whole(connection, standard)
        verdict = SimpleNamespace(success=success, result={"observed_value": observed})
        return native._result(suite, standard, verdict, rows, None)
    [(count,)] = connection.execute(f"select count(*) from ({sql})").fetchall()
    found = {"observed_value": count} if standard.type == ROWS_QUERY else {"unexpected_count": count}
    failing = FailingRows(connection, sql, shown(standard)) if count else None
    return native._result(suite, standard, SimpleNamespace(success=not count, result=found), rows, failing)
