"""Models and data tests in the order of dbt's graph: what finds rows fails a build, what Spark refuses is named."""

from pathlib import Path
from typing import Any

import pytest

from perinatal.errors import PerinatalError
from warehouse.spark import graph, relations


def node(name: str, sql: str, *needs: str, kind: str = "model", severity: str = "error") -> graph.Node:
    return graph.Node(
        key=name,
        kind=kind,
        database="work",
        schema="staging",
        name=name,
        sql=sql,
        is_table=kind == "model",
        severity=severity,
        needs=needs,
    )


ROWS = node("numbers", "select * from (values (1), (2), (null)) as t(n)")
FULL = node("n_is_there", 'select * from "work"."staging"."numbers" where n is null', "numbers", kind="test")


def run(spark: Any, folder: Path, *nodes: graph.Node) -> None:
    graph.run(spark, {one.key: one for one in nodes}, relations.place(folder), 2)


def test_models_are_made_in_the_order_of_their_needs(spark: Any, tmp_path: Path) -> None:
    doubled = node("doubled", "select 2 * n as n from staging.numbers where n is not null", "numbers")
    empty = node("none_is_odd", "select * from staging.doubled where n % 2 = 1", "doubled", kind="test")
    run(spark, tmp_path, empty, doubled, ROWS)
    assert sorted(row.n for row in spark.read.parquet(str(tmp_path / "staging" / "doubled")).collect()) == [2, 4]


def test_a_data_test_that_finds_rows_fails_the_build(spark: Any, tmp_path: Path) -> None:
    with pytest.raises(PerinatalError, match=r"data tests failed: n_is_there: 1 row\(s\)$"):
        run(spark, tmp_path, ROWS, FULL)


def test_a_data_test_that_warns_fails_nothing(spark: Any, tmp_path: Path) -> None:
    run(spark, tmp_path, ROWS, node(FULL.name, FULL.sql, *FULL.needs, kind="test", severity="warn"))
    assert spark.read.parquet(str(tmp_path / "staging" / "numbers")).count() == 3


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("select nothing_like_it from staging.numbers", "nothing_like_it"),
        ("select ('x' || n)::integer as x from staging.numbers where n = 1", "x1"),
    ],
)
def test_a_model_that_spark_refuses_is_named(spark: Any, tmp_path: Path, sql: str, why: str) -> None:
    with pytest.raises(PerinatalError, match=f"^Spark: staging.wrong: .*{why}"):
        run(spark, tmp_path, ROWS, node("wrong", sql, "numbers"))
