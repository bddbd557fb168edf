"""How long Celery workers take to land many files, by how many there are, and the memory of each; in one run."""

from __future__ import annotations

import os
import shutil
import statistics
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from ingest.archive import manifest as manifests
from perinatal.home import Home
from pipeline.bench import scaled
from tests.e2e.service import REPO, crowd, wait_for
from tests.e2e.team import Team, running

pytestmark = [pytest.mark.bench, pytest.mark.timeout(2400)]

FILES, ROWS, ROUNDS = 8, 400_000, 3
WORKERS = {
    "1 worker, 1 task at a time": (1, 1),
    "1 worker, 2 tasks at a time": (1, 2),
    "2 workers, 1 task each": (2, 1),
}
FIRST = next(iter(WORKERS))
SPAN = "select extract(epoch from max(end_date) - min(start_date)) from task_instance where run_id = %s"
LAST_RUN = "select run_id, state from dag_run where dag_id = 'many' order by id desc limit 1"


@dataclass
class Took:
    """Seconds from the start of the first task to the end of the last, and the most memory of a worker, each round."""

    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)


def test_many_files_by_one_worker_and_by_two(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for number in range(FILES):
        name = f"synthetic-{number}_child502_parent6.csv"
        scaled.fingertips(files / name, number * ROWS, (number + 1) * ROWS)
    size = sum(path.stat().st_size for path in files.iterdir()) / 1e6
    extra = {"AIRFLOW__CORE__DAGS_FOLDER": str(REPO / "tests" / "e2e" / "many_files"), "MANY_FILES": str(files)}
    took = {name: Took() for name in WORKERS}
    with running(tmp_path / "team", ("api-server", "scheduler", "dag-processor"), **extra) as team:
        wait_for("the DAG", lambda: team.rows("select 1 from dag where dag_id = 'many'") or team.died(), 120)
        for turn in range(ROUNDS):
            for number, (name, (workers, at_once)) in enumerate(WORKERS.items()):
                _land(team, [f"{turn}-{number}-{one}" for one in range(workers)], at_once, took[name])
    print(f"\n{_table(took)}\n\n{FILES} files, {size:,.0f} MB; {os.cpu_count()} processors, crowd {crowd():.1f}")


def _land(team: Team, names: list[str], at_once: int, took: Took) -> None:
    """Land all files into a fresh home with these workers, which end with it."""
    home = Home(team.folder / names[0])
    for name in names:
        team.start_part("worker-fetch", name, concurrency=at_once, PERINATAL_HOME=str(home.root))
    wait_for("the workers", lambda: all(map(team.takes_tasks, names)), 120)
    most = dict.fromkeys(names, 0.0)

    def is_over() -> bool:
        for name in names:
            most[name] = max(most[name], _megabytes(team.processes[name].pid))
        return not team.is_busy()

    team.trigger("many")
    wait_for("the end of the run", is_over, 600)
    [(run, state)] = team.rows(LAST_RUN)
    assert state == "success"
    assert len(list(manifests.LandedReleases(home.landed).all())) == FILES
    took.seconds.append(float(team.rows(SPAN, run)[0][0]))
    took.megabytes.append(max(most.values()))
    print(f"\n{names}: {took.seconds[-1]:.1f} s, {took.megabytes[-1]:,.0f} MB (crowd {crowd():.1f})", flush=True)
    for name in names:
        team.end(name)
    shutil.rmtree(home.root)


def _megabytes(pid: int) -> float:
    """Return what a worker and its tasks hold; what forked processes share is counted once."""
    held = 0
    leader = psutil.Process(pid)
    for process in (leader, *leader.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            held += process.memory_full_info().pss
    return held / 1e6


def _table(took: dict[str, Took]) -> str:
    """Return the figures as Markdown: the ratio is the median of the rounds'."""
    lines = [
        "| Workers | Seconds, each round | Beside the first | Most memory of a worker |",
        "| --- | --- | --- | --- |",
    ]
    for name, one in took.items():
        ratio = statistics.median(first / own for first, own in zip(took[FIRST].seconds, one.seconds, strict=True))
        seconds = ", ".join(f"{value:.0f}" for value in one.seconds)
        lines.append(f"| {name} | {seconds} | {ratio:.2f}× | {max(one.megabytes):,.0f} MB |")
    return "\n".join(lines)
