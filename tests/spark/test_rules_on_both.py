"""What a rule turns gives the same on both engines: the same SQL of DuckDB's, run by DuckDB and, turned, by Spark."""

from typing import Any

import duckdb
import pytest
from scipy.special import gammaincinv

from warehouse.spark.relations import columns_of
from warehouse.spark.rules import spark_sql
from warehouse.statistics.macros import render

ROWS = (
    "select * from (values (1, 'a', 1e0, date '2024-01-31'), (1, 'b2', 2.5e0, date '2024-02-29'), "
    "(2, 'b', 1e-9, null), (2, null, null, date '2023-12-31')) as t(k, word, x, day)"
)


def both(spark: Any, sql: str) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Give the rows of a query on DuckDB and on Spark."""
    turned = spark_sql(sql, lambda query: columns_of(spark, query))
    with duckdb.connect() as connection:
        return connection.execute(sql).fetchall(), [tuple(row) for row in spark.sql(turned).collect()]


@pytest.mark.parametrize(
    "expression",
    [
        "regexp_full_match(word, '[a-z][0-9]?')",
        "regexp_full_match(word, word || '?')",
        r"regexp_replace(word, '([a-z])([0-9])', '\2-\1 $', 'g')",
        "regexp_extract(word, '([0-9])', 1)",
        "(day + to_months(k))::date",
        "date_diff('day', day, date '2024-03-01')",
        "[word, 'z'][k]",
        "[word][3]",
        "list_filter([word, 'b'], lambda one: one <> 'b')",
        "list_transform([word, 'z'], lambda one, place: one || place)",
        "list_filter([word, 'z'], lambda one, place: place > k)",
        "[]::varchar[]",
        "list_contains([word], 'a')",
        "round(x / 3, 2), round(1.005e0, 2), round(-2.5e0), round(x), round(1050.0e0 * k, -2)",
        "fsum(x) over (partition by k)",
        "favg(x) over (partition by k)",
        "quantile_cont(x, 0.1) over (partition by k)",
        "count(distinct word) over (partition by k)",
        "sum(k) over (w rows between 1 preceding and current row), min(k) over w",
        "greatest(x, 2), least(x, null)",
        "x::decimal(12, 2)::varchar",
        "k::hugeint + 1, null::hugeint",
        "try_cast(word as double), try_cast('1d' as double), try_cast(' 1.5 ' as double), try_cast('1e3' as double)",
    ],
)
def test_an_expression_of_a_row(spark: Any, expression: str) -> None:
    ours, theirs = both(spark, f"select {expression} from ({ROWS}) window w as (order by k, word) order by k, word")
    assert theirs == ours


@pytest.mark.parametrize(
    "aggregate",
    [
        "any_value(word)",
        "min_by(word, day)",
        "max_by(word, day)",
        "array_agg(word order by word) filter (where word is not null)",
        "array_agg(distinct k order by k)",
        "sum(round(x * 1e9)::decimal(38, 0))::double / 1e9",
        "fsum(x) filter (where x > 1)",
        "favg(x)",
        "quantile_cont(x, 0.5)",
        "string_agg(word, '; ' order by word)",
        "bool_or(x > 2)",
    ],
)
def test_an_aggregate(spark: Any, aggregate: str) -> None:
    ours, theirs = both(spark, f"select k, {aggregate} from ({ROWS}) group by k order by k")
    assert theirs == ours


def test_unions_by_name_replaced_columns_and_qualify(spark: Any) -> None:
    sql = f"""
        with v as (select * replace (upper(word) as word) from ({ROWS})),
        w as (select k, word from v union all by name select x, word, 'new' as extra from v)
        select k, word, x, extra from w
        qualify row_number() over (partition by word order by k, x) = 1
        order by word, k, x, extra
    """
    ours, theirs = both(spark, sql)
    assert theirs == ours


def test_columns_seen_through_nested_ctes_of_one_name(spark: Any) -> None:
    sql = (
        "with v as (select 1 as a), w as (with v as (select 2 as b) "
        "select * from v union all by name select 3 as c) select a, b, c from v, w order by b"
    )
    ours, theirs = both(spark, sql)
    assert theirs == ours == [(1, 2, None), (1, None, 3)]


def test_exact_poisson_limits(spark: Any) -> None:
    shapes = [0.5, 1.0, 3.0, 12.5, 250.0, 8000.0]
    rows = ", ".join(f"({shape})" for shape in shapes)
    for side, probability in (("lower", 0.025), ("upper", 0.975)):
        limit = render("{{ gamma_quantile('shape', side, 95) }}", side=side)
        ours, theirs = both(spark, f"select {limit} from (values {rows}) as t(shape) order by shape")
        assert [row[0] for row in theirs] == pytest.approx([row[0] for row in ours], rel=1e-12)
        assert [row[0] for row in theirs] == pytest.approx(list(gammaincinv(shapes, probability)), rel=1e-14)


def test_a_sum_does_not_move_with_the_order_of_rows(spark: Any) -> None:
    numbers = spark.range(0, 5000).selectExpr("pow(-1, id) * exp(id % 40) / 7 as x", "id")
    sums = set()
    for partitions, column in ((1, "id"), (7, "x"), (64, "id")):
        numbers.repartition(partitions, column).createOrReplaceTempView("numbers")
        [row] = spark.sql(spark_sql("select fsum(x) as s from numbers", lambda _: [])).collect()
        sums.add(row.s)
    assert len(sums) == 1
