"""The models and data tests of the dbt project, from dbt's manifest, run on Spark in the order of its graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

from perinatal.errors import PerinatalError
from warehouse.spark.relations import columns_of
from warehouse.spark.rules import relation_name, spark_sql

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Node:
    """A model (a view or a table) or a data test: its SQL as dbt compiles it for DuckDB, and what it stands on."""

    key: str
    kind: str
    database: str
    schema: str
    name: str
    sql: str
    is_table: bool
    severity: str
    needs: tuple[str, ...]


def nodes_of(manifest: Mapping[str, Any]) -> dict[str, Node]:
    """Return models and data tests by their key."""
    found = {}
    for key, item in manifest["nodes"].items():
        if item["resource_type"] in ("model", "test"):
            found[key] = Node(
                key=key,
                kind=item["resource_type"],
                database=item["database"],
                schema=item["schema"],
                name=item["alias"],
                sql=item["compiled_code"],
                is_table=item["config"]["materialized"] == "table",
                severity=item["config"].get("severity", "error").lower(),
                needs=tuple(item["depends_on"]["nodes"]),
            )
    return found


def run(spark: SparkSession, nodes: Mapping[str, Node], storage: str, threads: int) -> None:
    """Make every model and ask every test, `threads` at a time; a model is Parquet in `storage`/<schema>/<name>.

    What is a view on DuckDB is written too: planning views of views takes Spark longer than reading their rows again.
    Raises PerinatalError with the first model that Spark refuses, or the tests that found rows.
    """
    failures: list[str] = []

    def work(node: Node) -> None:
        if node.kind == "test":
            failures.extend(_failure(spark, node))
        else:
            _make(spark, node, storage)

    _in_order(nodes, threads, work)
    if failures:
        more = f" (and {len(failures) - 2} more)" if len(failures) > 2 else ""
        raise PerinatalError(f"Spark: data tests failed: {'; '.join(sorted(failures)[:2])}{more}")


def _in_order(nodes: Mapping[str, Node], threads: int, work: Callable[[Node], None]) -> None:
    """Call `work` with each node after all that it needs, several at a time; the first error ends it."""
    order = TopologicalSorter({key: [need for need in node.needs if need in nodes] for key, node in nodes.items()})
    order.prepare()
    with ThreadPoolExecutor(threads) as pool:
        running: dict[Future[None], str] = {}
        try:
            while order.is_active():
                running |= {pool.submit(work, nodes[key]): key for key in order.get_ready()}
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for one in finished:
                    one.result()
                    order.done(running.pop(one))
        finally:
            pool.shutdown(cancel_futures=True)


def translated(spark: SparkSession, node: Node) -> str:
    """Return the SQL of a node as Spark reads it."""
    return spark_sql(node.sql, lambda query: columns_of(spark, query))


def _make(spark: SparkSession, node: Node, storage: str) -> None:
    from pyspark.errors import PySparkException

    view = relation_name(node.schema, node.name)
    try:
        place = f"{storage}/{node.schema}/{node.name}"
        spark.sparkContext.setJobDescription(view)
        spark.sql(translated(spark, node)).write.mode("overwrite").parquet(place)
        spark.read.parquet(place).createOrReplaceTempView(view)
    except PySparkException as error:
        raise PerinatalError(f"Spark: {node.schema}.{node.name}: {_in_short(error)}") from error


def _failure(spark: SparkSession, node: Node) -> list[str]:
    """Return in words that a data test found rows, or nothing; a test of severity `warn` never fails."""
    from pyspark.errors import PySparkException

    try:
        count = spark.sql(translated(spark, node)).count()
    except PySparkException as error:
        raise PerinatalError(f"Spark: test {node.name}: {_in_short(error)}") from error
    return [f"{node.name}: {count} row(s)"] if count and node.severity == "error" else []


def _in_short(error: Exception) -> str:
    return " ".join(str(error).split())[:400]
