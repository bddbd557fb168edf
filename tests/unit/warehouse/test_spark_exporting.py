"""Rows of Spark's Parquet go into the tables that dbt has laid out: those rows, and no others."""

from pathlib import Path

import duckdb
import pytest

from warehouse.spark import exporting
from warehouse.spark.graph import Node


def node(database: str, schema: str, name: str, *, is_table: bool = True) -> Node:
    return Node(f"model.{name}", "model", database, schema, name, "", is_table, "error", ())


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Give a working file and a candidate as dbt lays them out, and Spark's folder with two files for each table."""
    work, candidate, storage = tmp_path / "work.duckdb", tmp_path / "perinatal.duckdb", tmp_path / "Ann's spark"
    with duckdb.connect(str(work)) as connection:
        connection.execute(f"attach '{candidate}' as perinatal")
        connection.execute("create schema staging; create schema perinatal.core")
        connection.execute("create table staging.t (n integer, word varchar)")
        connection.execute("create view staging.v as select * from staging.t")
        # a row that is written out in a model is there although the tables it reads are empty
        connection.execute("create table perinatal.core.u as select 7 as n, 'England' as word")
        for place in ("staging/t", "core/u"):
            (storage / place).mkdir(parents=True)
            for number in (0, 1):
                path = str(storage / place / f"part-{number}.parquet").replace("'", "''")
                connection.execute(f"copy (select 'w{number}' as word, {number}::bigint as n) to '{path}'")
    return work, candidate, storage


def test_the_candidate_has_the_rows_of_spark_and_no_others(files: tuple[Path, Path, Path]) -> None:
    work, candidate, storage = files
    nodes = [node("work", "staging", "t"), node("perinatal", "core", "u"), node("work", "staging", "v", is_table=False)]
    exporting.export(nodes, storage, work, candidate)
    with duckdb.connect(str(candidate), read_only=True) as connection:
        assert connection.execute("select n, word from core.u").fetchall() == [(0, "w0"), (1, "w1")]
    with duckdb.connect(str(work), read_only=True) as connection:
        assert connection.execute("select n, word from staging.t").fetchall() == [(0, "w0"), (1, "w1")]
        assert connection.execute("select * from duckdb_views() where view_name = 'v'").fetchall() == []
