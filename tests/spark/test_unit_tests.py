"""dbt's unit tests on Spark: a model over a test's rows gives what DuckDB gives, which dbt holds to `expect`."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingest.archive import build_inputs
from warehouse import builder, dbt
from warehouse.spark.relations import columns_of
from warehouse.spark.rules import spark_sql

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Give the SQL of each unit test by its name, after dbt has passed them on DuckDB."""
    folder = tmp_path_factory.mktemp("unit tests")
    files = dbt.Warehouse(folder / "work.duckdb", folder / "perinatal.duckdb", folder)
    builder.make_landed(files.work_db, build_inputs.layouts(), [])
    target = folder / "target"
    dbt.build(files, target, builder.staging_models(), folder / "dbt.log", unit_tests=True)
    results = json.loads((target / dbt.RESULTS).read_text(encoding="utf-8"))["results"]
    asked = {item["unique_id"].split(".")[-1]: item["status"] for item in results if "unit_test." in item["unique_id"]}
    assert set(asked.values()) == {"pass"}
    return {path.stem: path.read_text(encoding="utf-8") for path in _sql(target) if path.stem in asked}


def _sql(target: Path) -> list[Path]:
    return sorted((target / "compiled").rglob("*.sql"))


def _comparable(rows: list[tuple[Any, ...]]) -> list[str]:
    return sorted(repr(tuple(round(cell, 9) if isinstance(cell, float) else cell for cell in row)) for row in rows)


def test_models_over_the_rows_of_their_tests(spark: Any, compiled: dict[str, str]) -> None:
    assert len(compiled) >= 14
    for name, sql in compiled.items():
        with duckdb.connect() as connection:
            cursor = connection.execute(sql)
            columns = [column for column, *_ in cursor.description]
            ours = cursor.fetchall()
        turned = spark.sql(spark_sql(sql, lambda query: columns_of(spark, query)))
        theirs = [tuple(row) for row in turned.select(*(f"`{column}`" for column in columns)).collect()]
        assert _comparable(theirs) == _comparable(ours), name
