"""Build the candidate on Spark: dbt lays it out empty, Spark makes the rows, and they are exported into it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shutil import rmtree

from perinatal import settings
from warehouse import dbt
from warehouse.landed import LandedRelease, Layout
from warehouse.spark import exporting, graph, relations
from warehouse.spark.session import session


def build(
    warehouse: dbt.Warehouse,
    target: Path,
    log: Path,
    variables: dict[str, list[str]],
    layouts: Sequence[Layout],
    releases: Sequence[LandedRelease],
) -> None:
    """Fill the candidate and the working file of a run, in which `landed` is made; asks the data tests too.

    Tables are Parquet below the scratch folder, which every executor must be able to write; landed files are read
    where they lie. Spark's event log of the last build stays in `spark-events` beside `target`. Raises PerinatalError
    where Spark is missing, refuses a model, or a data test finds rows.
    """
    options = settings.get()
    storage, events = warehouse.scratch / "spark", target.parent / "spark-events"
    rmtree(events, ignore_errors=True)
    with session(options.spark_master, options.spark_memory, events) as spark:
        nodes = graph.nodes_of(dbt.lay_out(warehouse, target, variables, log))
        relations.read_tables(spark, warehouse.work_db, "landed", storage)
        relations.read_tables(spark, warehouse.candidate_db, "reference", storage)
        relations.read_layouts(spark, layouts, releases)
        graph.run(spark, nodes, relations.place(storage), warehouse.threads)
    models = [node for node in nodes.values() if node.kind == "model"]
    exporting.export(models, storage, warehouse.work_db, warehouse.candidate_db)
    rmtree(storage)
