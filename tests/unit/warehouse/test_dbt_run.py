"""One run of dbt over a project of three models: what a lack of memory costs, and what is said of it."""

import json
from pathlib import Path

import duckdb
import pytest

from perinatal.errors import PerinatalError
from warehouse import dbt

FAULT = "Out of Memory Error: failed to allocate data of size 64.0 KiB"
WIDE = """
select {% if env_var('PERINATAL_DBT_THREADS') | int > MOST %} error('FAULT') {% else %} 7 {% endif %} as n
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a project with a model that runs out of memory beside others, one before it and one after it."""
    folder = tmp_path / "project"
    (folder / "models").mkdir(parents=True)
    (folder / "profiles.yml").write_bytes((dbt.PROJECT / "profiles.yml").read_bytes())
    (folder / "dbt_project.yml").write_text(
        "name: small\nprofile: perinatal_insights\nmodels: {+materialized: table}\n"
    )
    (folder / "models" / "first.sql").write_text("select {{ var('number') }} as n, current_timestamp as made\n")
    (folder / "models" / "last.sql").write_text("select n from {{ ref('wide') }}\n")
    monkeypatch.setattr(dbt, "PROJECT", folder)
    return folder


def run(project: Path, tmp_path: Path, most: int, fault: str = FAULT) -> dbt.Warehouse:
    model = "-- depends_on: {{ ref('first') }}" + WIDE.replace("MOST", str(most)).replace("FAULT", fault)
    (project / "models" / "wide.sql").write_text(model)
    warehouse = dbt.Warehouse(tmp_path / "work.duckdb", tmp_path / "perinatal.duckdb", tmp_path / "scratch", "200MB", 2)
    dbt.build(warehouse, tmp_path / "target", {"number": 5}, tmp_path / "dbt.log")
    return warehouse


def test_models_that_run_out_of_memory_are_made_one_by_one_and_nothing_is_made_again(
    project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    warehouse = run(project, tmp_path, most=1)
    with duckdb.connect(str(warehouse.work_db)) as connection:
        assert connection.sql("select first.n, last.n from first, last").fetchall() == [(5, 7)]
    results = json.loads((tmp_path / "target" / dbt.RESULTS).read_text())["results"]
    assert {item["unique_id"]: item["status"] for item in results} == {
        f"model.small.{name}": "success" for name in ("first", "wide", "last")
    }
    assert "out of memory with models side by side" in capfd.readouterr().err
    assert (tmp_path / "dbt.log").read_text().count("OK created sql table model main.first") == 1


def test_a_model_that_needs_more_than_there_is_says_what_to_set(project: Path, tmp_path: Path) -> None:
    with pytest.raises(dbt.OutOfMemory, match=r"wide: .*Out of Memory.*PERINATAL_MEMORY_LIMIT is 200MB now"):
        run(project, tmp_path, most=0)


def test_another_fault_is_not_tried_again(project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PerinatalError, match="a wrong number"):
        run(project, tmp_path, most=0, fault="a wrong number")
    assert "one by one" not in capfd.readouterr().err
