"""dbt's own unit tests of the models, on an empty warehouse; so an edition of nothing can be built, too."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingest.archive import build_inputs
from perinatal.errors import PerinatalError
from warehouse import builder, dbt

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]  # a build is long on a busy machine


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the project without any release, unit tests included; give the folder."""
    folder = tmp_path_factory.mktemp("Ann's empty")
    files = dbt.Warehouse(folder / "work.duckdb", folder / "perinatal.duckdb", folder)
    builder.make_landed(files.work_db, build_inputs.layouts(), [])
    dbt.build(files, folder / "target", builder.staging_models(), folder / "dbt.log", unit_tests=True)
    return folder


@pytest.fixture
def results(built: Path) -> dict[str, Any]:
    found = json.loads((built / "target" / dbt.RESULTS).read_text())["results"]
    return {item["unique_id"]: item for item in found}


def test_all_unit_tests_pass(results: dict[str, Any]) -> None:
    units = {name: item["status"] for name, item in results.items() if name.startswith("unit_test.")}
    tested = {name.split(".")[2] for name in units}
    assert {"stg_mbrrace__perinatal_mortality", "int_expected_trust", "int_rollup", "int_area_value"} <= tested
    assert set(units.values()) == {"pass"}


def test_every_model_was_built(results: dict[str, Any]) -> None:
    statuses = {name: item["status"] for name, item in results.items()}
    assert {status for name, status in statuses.items() if name.startswith(("model.", "seed."))} == {"success"}


def test_without_releases_marts_are_empty_and_typed(built: Path) -> None:
    with duckdb.connect(str(built / "perinatal.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from marts.trust_indicator").fetchall() == [(0,)]
        assert connection.execute("select count(*) from quality.source_health").fetchall() == [(0,)]
        assert connection.execute("select count(*) from core.dim_lms").fetchall() == [(44,)]
        kinds = dict(
            connection.execute(
                "select column_name, data_type from information_schema.columns where table_name = 'trust_indicator'"
            ).fetchall()
        )
    assert (kinds["value"], kinds["period_end"], kinds["usage_warnings"]) == ("DOUBLE", "DATE", "VARCHAR[]")


def test_what_keeps_dbt_from_starting_is_named(tmp_path: Path) -> None:
    files = dbt.Warehouse(tmp_path / "work.duckdb", tmp_path / "perinatal.duckdb", tmp_path, memory_limit="a lot")
    with pytest.raises(PerinatalError, match=r"before any result was written .*Memory must.*The whole log: .*dbt.log"):
        dbt.build(files, tmp_path / "target", builder.staging_models(), tmp_path / "dbt.log")
