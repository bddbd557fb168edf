"""What the models read: each landed layout, straight from its Parquet files, and the small tables that DuckDB holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from perinatal.opening import open_database
from perinatal.sql import identifier, literal
from warehouse.landed import LandedRelease, Layout, layout_rows
from warehouse.spark.rules import relation_name, spark_sql

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PLAIN = "plain_rows"  # a schema for the files of a layout that need no correction
MADE = "false as is_kept"  # Spark makes the observations of every release


def place(path: Path) -> str:
    """Return a path as Spark takes it: an address whose characters are not escaped."""
    return f"file://{path.absolute()}"


def columns_of(spark: SparkSession, query: str) -> list[str]:
    """Return the names of the columns of a query."""
    return list(spark.sql(query).columns)


def read_tables(spark: SparkSession, database: Path, schema: str, storage: Path) -> None:
    """Give Spark each table of a schema of a DuckDB file, by way of Parquet in `storage`."""
    with open_database(database, read_only=True) as connection:
        names = connection.execute(
            "select table_name from duckdb_tables() where schema_name = ? and database_name = current_database()",
            [schema],
        ).fetchall()
        for (name,) in names:
            target = storage / schema / f"{name}.parquet"
            target.parent.mkdir(parents=True, exist_ok=True)
            connection.execute(f"copy {schema}.{identifier(name)} to {literal(target)} (format parquet)")
            spark.read.parquet(place(target)).createOrReplaceTempView(relation_name(schema, name))


def read_layouts(spark: SparkSession, layouts: Sequence[Layout], releases: Sequence[LandedRelease]) -> None:
    """Give Spark a view over all releases of each layout, as `landed.<source>__<layout>` is one in DuckDB."""
    for layout in layouts:
        name = f"{layout.source_id}__{layout.name}"
        mine = [item for item in releases if (item.source_id, item.layout) == (layout.source_id, layout.name)]
        plain = [item for item in mine if not item.corrections]
        parts = []
        if plain:
            _read_plain(spark, plain, relation_name(PLAIN, name))
            parts.append(f"select {MADE}, * from {PLAIN}.{name}")
        for number, item in enumerate(one for one in mine if one.corrections):
            own = f"{name}_{number}"
            spark.read.parquet(place(item.rows)).createOrReplaceTempView(relation_name(PLAIN, own))
            rows = item.corrected(f"{PLAIN}.{own}")
            parts.append(f"select {literal(item.release_key)} as release_key, {MADE}, * from ({rows})")
        sql = spark_sql(layout_rows(layout, parts), lambda query: columns_of(spark, query))
        spark.sql(sql).createOrReplaceTempView(relation_name("landed", name))


def _read_plain(spark: SparkSession, releases: Sequence[LandedRelease], view: str) -> None:
    """Read the files of some releases in one scan; `release_key` says which file a row is of."""
    from pyspark.sql import functions

    rows = spark.read.option("mergeSchema", "true").parquet(*(place(item.rows) for item in releases))
    # Spark gives a file's address escaped, with one slash after file: or three; a plus is no space
    path = functions.regexp_replace(functions.col("_metadata.file_path"), "^file:/+", "/")
    path = functions.url_decode(functions.regexp_replace(path, "[+]", "%2B"))
    keys = [part for item in releases for part in (str(item.rows.absolute()), item.release_key)]
    key = functions.element_at(functions.create_map(*map(functions.lit, keys)), path)
    rows.withColumn("release_key", key).createOrReplaceTempView(view)
