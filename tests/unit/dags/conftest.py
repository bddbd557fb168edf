"""Airflow for unit tests: a home of its own with an empty database, set before anything imports Airflow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[3]
AIRFLOW = Path(tempfile.mkdtemp(prefix="perinatal-airflow-"))

os.environ.update(
    {
        "AIRFLOW_HOME": str(AIRFLOW),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPO / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{AIRFLOW / 'airflow.db'}",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(AIRFLOW / "logs"),
    }
)


@pytest.fixture(scope="session")
def airflow_database() -> Iterator[Path]:
    """Give Airflow a migrated database with the project's pools."""
    from pipeline import service

    pools = AIRFLOW / "pools.json"
    pools.write_text(json.dumps(service.pools()))
    for command in (["db", "migrate"], ["pools", "import", str(pools)]):
        subprocess.run([sys.executable, "-m", "airflow", *command], check=True, capture_output=True, env={**os.environ})
    return AIRFLOW
