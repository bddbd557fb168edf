"""How long from a dropped file to an edition, beside the least that it can take, in one run on one machine.

The least: a chain of as many empty tasks, and the seconds that the build's steps take by themselves.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from pathlib import Path

import pytest

from ingest import registry
from publish import edition
from tests.e2e.service import REPO, Service, running, wait_for

pytestmark = [pytest.mark.bench, pytest.mark.timeout(2400)]

BARE, EDITION = "the end of a chain of as many empty tasks", "the edition in which it is"
BUILD = "the build's own seconds"
MOST = 1.5  # times what Airflow and the build take each by itself
NAME = "perinatal-mortality-rates-{}-trusthealth-board.csv"
BUNDLES = {"perinatal": REPO / "dags", "bare": REPO / "tests" / "e2e" / "bare_chain"}


def test_file_to_edition_beside_a_bare_chain(tmp_path: Path) -> None:
    made, bare = tmp_path / "made", tmp_path / "bare"
    for folder in (made, *(bare / name for name in ("in", "taken", "out"))):
        folder.mkdir(parents=True)
    registry.source("mbrrace").sample.generate(made)
    local = "airflow.dag_processing.bundles.local.LocalDagBundle"
    bundles = [{"name": n, "classpath": local, "kwargs": {"path": str(p)}} for n, p in BUNDLES.items()]
    extra = {"AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles), "BARE_CHAIN": str(bare)}
    took: dict[str, list[float]] = {BARE: [], BUILD: [], EDITION: []}
    others = os.getloadavg()[0]
    with running(tmp_path / "up", **extra) as service:
        wait_for("both watches", lambda: service.rows("select count(*) from trigger") == [(2,)], 180)
        for year in range(2020, 2023):
            took[BARE].append(_bare(service, bare, str(year)))
            took[EDITION].append(_edition(service, made / NAME.format(year)))
            took[BUILD].append(sum(edition.info(service.home / "current")["seconds"].values()))
    least = statistics.median(took[BARE]) + statistics.median(took[BUILD])
    ratio = statistics.median(took[EDITION]) / least
    print(f"\n{_table(took)}\n\nratio {ratio:.2f}; {os.cpu_count()} processors, load {others:.1f} before")
    assert ratio <= MOST


def _table(took: dict[str, list[float]]) -> str:
    """Return the figures as Markdown."""
    lines = ["| From a dropped file to (and within it) | Median | Each |", "| --- | --- | --- |"]
    for name, seconds in took.items():
        lines.append(f"| {name} | {statistics.median(seconds):.1f} s | {', '.join(f'{one:.1f}' for one in seconds)} |")
    return "\n".join(lines)


def _idle(service: Service) -> None:
    wait_for("all runs to end", lambda: not service.is_busy(), 180)


def _bare(service: Service, folder: Path, name: str) -> float:
    _idle(service)
    start = time.monotonic()
    (folder / "in" / name).write_text("x")
    wait_for("the second DAG", (folder / "out" / name).exists, 120)
    return time.monotonic() - start


def _edition(service: Service, file: Path) -> float:
    _idle(service)
    before = service.edition()
    start = service.drop(file)
    service.wait_for_edition(before, 240)
    return time.monotonic() - start
