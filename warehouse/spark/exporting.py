"""From Spark's tables to the candidate: rows go into the empty tables that dbt has laid out, so types are DuckDB's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from perinatal.opening import open_database
from perinatal.sql import attach, identifier, literal
from warehouse.spark.graph import Node

CANDIDATE = "perinatal"  # as dbt attaches it


def export(nodes: Iterable[Node], storage: Path, work_db: Path, candidate_db: Path) -> None:
    """Fill the tables of both DuckDB files from Spark's Parquet; empty views of staging are dropped.

    Files of a table are read in the order of their names, which is that of its rows.
    """
    with open_database(work_db) as connection:
        attach(connection, candidate_db, CANDIDATE, "read_write")
        for node in nodes:
            relation = f"{identifier(node.database)}.{identifier(node.schema)}.{identifier(node.name)}"
            if node.is_table:
                files = literal(storage / node.schema / node.name / "*.parquet")
                # a row that a model writes out is there even where its inputs are empty
                connection.execute(f"delete from {relation}")
                connection.execute(f"insert into {relation} by name select * from read_parquet({files})")
            else:
                # laid out over no rows: a table that is not there is an error, an empty one a wrong number
                connection.execute(f"drop view if exists {relation} cascade")
