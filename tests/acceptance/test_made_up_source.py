"""A new source is two folders and seed rows: shown on a copy of the project that has nothing else."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

REPO = Path(__file__).resolve().parents[2]
FOLDERS = ("dbt_project", "docs", "expectations", "ingest", "insights", "perinatal", "pipeline", "publish", "warehouse")
ADDED = {
    "ingest/sources/ferry/source.yml": """
id: ferry
title: Births on ferries
publisher: Nobody
licence: none
page: https://ferry.example/
audience: public
cadence_days: 365
datasets:
  crossings: {title: Births by trust of the crew}
""",
    "ingest/sources/ferry/columns.csv": """
dataset,column,published_names,type,required,nullable,minimum,maximum,allowed,pattern,severity,unit,description
*,year,Year,integer,yes,no,2000,2100,,,block,,Calendar year
*,crew_code,Crew,text,yes,no,,,,,block,,ODS code of the trust
*,births,Births,integer,yes,yes,0,,,,block,births,Births at sea
*,crossings,Crossings,integer,yes,yes,1,,,,block,crossings,Crossings
""",
    "ingest/sources/ferry/parse.py": """
from ingest.registry import Identity, Sample


def recognise(sample: Sample) -> Identity | None:
    years = {row.get("Year", "") for row in sample.rows}
    return Identity("crossings", years.pop()) if len(years) == 1 else None
""",
    "ingest/sources/ferry/sample.py": """
from pathlib import Path


def generate(folder: Path) -> None:
    rows = ["Year,Crew,Births,Crossings", "2024,RGT,3,1200", "2024,RCF,1,900", "2024,NOPE,1,10"]
    (folder / "ferry.csv").write_text("\\n".join(rows) + "\\n")
""",
    "dbt_project/models/staging/ferry/stg_ferry__crossings.sql": """
select
    release_key,
    source_row,
    'ferry' as source_id,
    'births_at_sea' as indicator_id,
    'ods' as organisation_scheme,
    crew_code as published_code,
    crew_code as published_name,
    'trust' as level,
    'England' as country,
    year::varchar as period_label,
    make_date(year::integer, 1, 1) as period_start,
    make_date(year::integer, 12, 31) as period_end,
    'all' as breakdown,
    'all' as breakdown_value,
    births::double as numerator,
    crossings::double as denominator
from {{ source("landed", "ferry__crossings") }}
""",
    "dbt_project/models/staging/ferry/_sources.yml": """
version: 2

sources:
  - name: landed
    schema: landed
    tables:
      - name: ferry__crossings
        description: Births on ferries, one row a trust of the crew and year.
""",
}
SEED_ROW = {
    "indicator_id": "births_at_sea",
    "indicator_name": "Births at sea",
    "concept_id": "births_at_sea",
    "definition": "Births during a crossing, per 1,000 crossings.",
    "statistic": "rate",
    "unit": "per 1,000",
    "multiplier": "1000",
    "polarity": "none",
    "numerator_definition": "Births",
    "denominator_definition": "Crossings",
    "is_death": "false",
    "source_id": "ferry",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of the project with the made-up source added and nothing else changed."""
    root = tmp_path_factory.mktemp("project")
    for folder in FOLDERS:
        shutil.copytree(REPO / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__", "target", "logs"))
    for name, content in ADDED.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert not path.exists()
        path.write_text(content.lstrip(), encoding="utf-8")
    seed = root / "dbt_project/seeds/reference/indicator.csv"
    columns = seed.read_text(encoding="utf-8").splitlines()[0].split(",")
    with seed.open("a", encoding="utf-8") as out:
        out.write(",".join(f'"{SEED_ROW.get(name, "")}"' for name in columns) + "\n")
    return root


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PERINATAL_")}
    return subprocess.run(
        [sys.executable, "-m", "pipeline.commands.app", *arguments],
        cwd=project,
        env={**kept, "PYTHONPATH": str(project), "PERINATAL_HOME": str(project / "var")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_two_folders_and_seed_rows_are_enough(project: Path) -> None:
    refreshed = run(project, "refresh", "--sample", "--source", "ferry")
    assert refreshed.returncode == 0, refreshed.stderr
    sql = (
        "select trust_code, value, numerator, denominator, unit, method from marts.trust_indicator order by trust_code"
    )
    asked = run(project, "query", sql, "--format", "json")
    assert asked.returncode == 0, asked.stderr
    found = [(row["trust_code"], round(row["value"], 6), row["method"]) for row in json.loads(asked.stdout)]
    assert found == [("RCF", round(1000 / 900, 6), "Exact"), ("RGT", 2.5, "Exact")]
    sql = "select rows_in, rows_mart, rows_excluded from quality.source_health where source_id <> 'official_figures'"
    health = run(project, "query", sql, "--format", "json")
    assert json.loads(health.stdout) == [{"rows_in": 3, "rows_mart": 2, "rows_excluded": 1}]
    alerts = json.loads(run(project, "alerts", "--json").stdout)
    assert "organisations_are_known" in {alert["rule"] for alert in alerts}


def test_nothing_of_the_project_was_touched(project: Path) -> None:
    changed = [
        path.relative_to(project).as_posix()
        for folder in FOLDERS
        for path in (project / folder).rglob("*")
        if path.is_file()
        and path.suffix in (".py", ".sql", ".yml", ".csv")
        and (not (original := REPO / path.relative_to(project)).exists() or original.read_bytes() != path.read_bytes())
    ]
    assert sorted(changed) == sorted([*ADDED, "dbt_project/seeds/reference/indicator.csv"])
