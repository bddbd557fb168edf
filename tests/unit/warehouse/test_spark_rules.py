"""Each rule from DuckDB's SQL to Spark's, by its text; tests/spark runs both sides."""

import duckdb
import pytest

from perinatal.errors import PerinatalError
from warehouse.spark.rules import spark_sql

TABLES = "create table t (a integer, b varchar); create table u (b varchar, c date);"


def columns(query: str) -> list[str]:
    """Give the columns of a query over two tables: DuckDB reads the Spark of these few queries too."""
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        return [name for name, *_ in connection.execute(f"describe {query}").fetchall()]


def turned(sql: str) -> str:
    return spark_sql(sql, columns)


@pytest.mark.parametrize(
    ("rule", "expression", "expected"),
    [
        ("whole match", "regexp_full_match(b, '[0-9]+')", r"b RLIKE '^(?:[0-9]+)\\z'"),
        ("of a column", "regexp_full_match(b, p)", r"b RLIKE CONCAT('^(?:', p, ')\\z')"),
        ("with flags", "regexp_full_match(b, 'a.', 's')", r"b RLIKE '(?s)^(?:a.)\\z'"),
        ("groups", r"regexp_replace(b, '(\d)-', '\1 $', 'g')", r"REGEXP_REPLACE(b, '(\\d)-', '$1 \\$')"),
        ("months", "(c + to_months(3))::date", "CAST((ADD_MONTHS(c, 3)) AS DATE)"),
        ("part of a list", "a[2]", "GET(a, 1)"),
        ("computed part", "a[b]", "GET(a, (b) - 1)"),
        ("place in a list", "list_transform(a, lambda x, n: x + n)", "TRANSFORM(a, (x, n) -> x + (n + 1))"),
        ("filter by place", "list_filter(a, lambda x, n: n > 1)", "FILTER(a, (x, n) -> (n + 1) > 1)"),
        ("no place", "list_transform(a, lambda x: x + n)", "TRANSFORM(a, x -> x + n)"),
        ("word in a list", "list_contains(a, 'x')", "ARRAY_CONTAINS(ARRAY_COMPACT(a), 'x')"),
        ("value by place", "min_by(a, b)", "MIN_BY(a, CASE WHEN NOT a IS NULL THEN b END)"),
        ("sorted list", "array_agg(a order by a, b)", "ARRAY_SORT(COLLECT_LIST(a))"),
        ("sorted set", "array_agg(distinct a order by a)", "ARRAY_SORT(COLLECT_SET(a))"),
        (
            "exact sum",
            "sum(round((a) * 1e9)::decimal(38, 0))::double / 1e9",
            "CAST(SUM(CAST(ROUND((a) * 1e9) AS DECIMAL(38, 0))) AS DOUBLE) / 1e9",
        ),
        (
            "compensated, over a window",
            "favg(a) over (partition by b)",
            "AVERAGE_OF_LIST(COLLECT_LIST(CAST(a AS DOUBLE)) OVER (PARTITION BY b))",
        ),
        (
            "compensated, filtered",
            "fsum(a) filter (where a > 1) / 2",
            "SUM_OF_LIST(COLLECT_LIST(CAST(a AS DOUBLE)) FILTER(WHERE a > 1)) / 2",
        ),
        ("quantile", "quantile_cont(a, 0.1) over (partition by b)", "PERCENTILE(a, 0.1) OVER (PARTITION BY b)"),
        (
            "distinct values over a window",
            "count(distinct a) over (partition by b)",
            "SIZE(COLLECT_SET(a) OVER (PARTITION BY b))",
        ),
        ("distinct values of a group", "count(distinct a)", "COUNT(DISTINCT a)"),
        ("rounding", "round(a / 3, 2)", "(ROUND(CAST((a / 3) AS DOUBLE) * 1e2) / 1e2)"),
        ("rounding to hundreds", "round(a, -2)", "(ROUND(CAST((a) AS DOUBLE) / 1e2) * 1e2)"),
        ("rounding to whole numbers", "round(a)", "ROUND(a)"),
        (
            "number in a text",
            "try_cast(b as double)",
            "CASE WHEN NOT b RLIKE '[0-9.][dDfF] *$' THEN TRY_CAST(b AS DOUBLE) END",
        ),
        ("first that is given", "any_value(a)", "ANY_VALUE(a) IGNORE NULLS"),
        ("empty list", "[]::varchar[]", "CAST(ARRAY() AS ARRAY<STRING>)"),
    ],
)
def test_an_expression_is_turned(rule: str, expression: str, expected: str) -> None:
    assert turned(f"select {expression} as x from t") == f"SELECT {expected} AS x FROM t", rule


def test_a_relation_is_a_view_of_the_session() -> None:
    sql = turned('select x.a from "work"."staging"."t" as x join "perinatal"."marts"."u" on u.a = x.a')
    assert sql == "SELECT x.a FROM staging__t AS x JOIN marts__u AS u ON u.a = x.a"


def test_qualify_stays() -> None:
    sql = "SELECT a FROM t QUALIFY ROW_NUMBER() OVER (PARTITION BY b ORDER BY a NULLS LAST) = 1"
    assert turned(sql) == sql


def test_hints_of_parts_are_left_out() -> None:
    for hint in ("materialized", "not materialized"):
        given = turned(f"with a as {hint} (select 1 as x) select x from a")
        assert given == "WITH a AS (SELECT 1 AS x) SELECT x FROM a"


def test_named_windows_are_written_out() -> None:
    sql = turned(
        "select sum(a) over (w rows between 5 preceding and current row) as x, min(a) over v - a as y from t "
        "window w as (partition by b order by a), v as (order by a rows between 1 preceding and current row)"
    )
    assert sql.upper() == (
        "SELECT SUM(A) OVER (PARTITION BY B ORDER BY A NULLS LAST ROWS BETWEEN 5 PRECEDING AND CURRENT ROW) AS X, "
        "MIN(A) OVER (ORDER BY A NULLS LAST ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) - A AS Y FROM T"
    )


def test_a_replaced_column_stands_last() -> None:
    sql = turned("select t.* exclude (b) replace (a + 1 as a), 2 as z from t")
    assert sql == "SELECT t.* EXCEPT (b, a), a + 1 AS a, 2 AS z FROM t"


def test_a_union_by_name_lists_the_columns_of_both_sides() -> None:
    sql = turned("with v as (select a, b from t) select * from v union all by name (select c, b from u)")
    assert sql == (
        "WITH v AS (SELECT a, b FROM t) "
        "SELECT `a`, `b`, NULL AS `c` FROM (SELECT * FROM v) AS side UNION ALL "
        "SELECT NULL AS `a`, `b`, `c` FROM (SELECT c, b FROM u) AS side"
    )


def test_spark_is_asked_for_the_columns_of_each_part_of_a_union_once() -> None:
    asked: list[str] = []
    sql = " union all by name ".join(["select a from t", "select c from u", "select b from t", "select 1 as d"])
    spark_sql(sql, lambda query: (asked.append(query), columns(query))[1])
    assert [query.count("SELECT") for query in asked] == [2, 2, 2, 2]


def test_unions_by_name_nest_in_ctes() -> None:
    sql = turned(
        "with v as (select a from t union all by name select c from u), "
        "w as (select * from v union all by name select b from t) select * from w"
    )
    assert "SELECT `a`, `c`, NULL AS `b` FROM (SELECT * FROM v) AS side" in sql
    assert "by_name" not in sql.lower().replace(" ", "_")


def test_the_exact_poisson_limit_is_a_function() -> None:
    sql = turned(
        "select exp(list_reduce([0]::double[], lambda u, step: u, case when a > 1 then 1 "
        "else (ln(0.025) + lgamma((a)::double + 1)) / (a)::double end)) as x from t"
    )
    assert sql == "SELECT GAMMA_QUANTILE(CAST((a) AS DOUBLE), CAST(0.025 AS DOUBLE)) AS x FROM t"


@pytest.mark.parametrize(
    "expression", ["array_agg(a order by b)", "round(a, a)", "list_reduce([1], lambda x, y: x + y)", "to_months(3)"]
)
def test_what_no_rule_knows_is_named(expression: str) -> None:
    with pytest.raises(PerinatalError, match=r"^Spark: "):
        turned(f"select {expression} as x from t")
