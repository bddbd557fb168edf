"""Whole builds on Spark: the same tables as DuckDB's, on this machine and on a cluster that loses an executor."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest import registry
from ingest.archive import build_inputs
from ingest.archive.manifest import LandedReleases
from perinatal.home import Home
from pipeline.bench import cluster
from warehouse import builder, differences

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

ENGINE = (
    "import sys; from pathlib import Path; from perinatal.home import Home; from ingest.archive import build_inputs; "
    "from ingest.archive.manifest import LandedReleases; from warehouse import builder; "
    "home, folder = Home(Path(sys.argv[1])), Path(sys.argv[2]); landed = LandedReleases(home.landed); "
    "builder.build(folder, home.cache / 'dbt', build_inputs.layouts(), "
    "build_inputs.releases(landed, landed.in_use()), 'spark')"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, mbrrace_sample: Path, landed: Callable[..., Any]) -> Home:
    """Give a state folder with SYNTHETIC releases of two sources, one of them with monthly counts of trusts."""
    made = Home(tmp_path_factory.mktemp("Ann's home"))
    folder = tmp_path_factory.mktemp("nmpa")
    registry.source("nmpa").sample.generate(folder)
    landed(made, *sorted(mbrrace_sample.glob("*.csv")))
    landed(made, *sorted(folder.glob("*.csv")), source="nmpa")
    return made


@pytest.fixture(scope="module")
def duckdbs(home: Home) -> Path:
    """Give the candidate that DuckDB makes of it."""
    landed = LandedReleases(home.landed)
    releases = build_inputs.releases(landed, landed.in_use())
    return builder.build(home.build / "duckdb", home.cache / "dbt", build_inputs.layouts(), releases, "duckdb")


def start(home: Home, folder: Path, **environment: str) -> subprocess.Popen[str]:
    """Start a build of the models on Spark in a process of its own: it has one session."""
    return subprocess.Popen(
        [sys.executable, "-c", ENGINE, str(home.root), str(folder)],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def unequal(left: Path, right: Path) -> list[str]:
    found = differences.compare(left, right)
    assert len(found) > 15
    assert sum(table.rows[0] for table in found) > 2000
    return [f"{table.table}: {table.rows} {table.columns} {table.examples}" for table in found if not table.is_equal]


def test_every_table_is_duckdbs(home: Home, duckdbs: Path) -> None:
    folder = home.build / "local"
    run = start(home, folder, PERINATAL_SPARK_MASTER="local[2]")
    out, _ = run.communicate()
    assert run.returncode == 0, out[-3000:]
    assert unequal(duckdbs, folder / "perinatal.duckdb") == []
    [log] = (home.cache / "spark-events").iterdir()
    kinds = [json.loads(line)["Event"] for line in log.read_text().splitlines()]
    assert kinds.count("SparkListenerTaskEnd") > 100


def test_a_killed_executor_changes_no_number(home: Home, duckdbs: Path, tmp_path: Path) -> None:
    folder = home.build / "cluster"
    first_table = folder / "scratch" / "spark" / "staging"
    with cluster.started(tmp_path) as standalone:
        run = start(home, folder, **standalone.environment)
        while run.poll() is None and not list(first_table.glob("*/_SUCCESS")):
            time.sleep(0.2)
        assert run.poll() is None, run.communicate()[0][-3000:]
        victims = standalone.executors()
        assert len(victims) == 2
        victims[0].kill()
        out, _ = run.communicate()
    assert run.returncode == 0, out[-3000:]
    assert unequal(duckdbs, folder / "perinatal.duckdb") == []
    [log] = (home.cache / "spark-events").iterdir()
    added = [json.loads(line) for line in log.read_text().splitlines() if "SparkListenerExecutorAdded" in line]
    assert len({event["Executor ID"] for event in added}) >= 3
