"""The team server's topology as plain processes, and the chain through it; several workers that land at once."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import psutil
import pytest

from ingest import registry
from ingest.archive import manifest as manifests
from ingest.archive import quarantine, verification
from ingest.archive.manifest import LandedReleases
from ingest.archive.store import Archive
from ingest.archive.synthetic import SyntheticHashes
from ingest.sample import publishers
from perinatal.home import Home
from pipeline import steps
from tests.e2e.service import REPO, crowd, listening, wait_for
from tests.e2e.team import Team, compose, running

PARTS = ("api-server", "scheduler", "dag-processor", "triggerer")
WORKER_PARTS = ("worker-fetch", "worker-build")
SCALED = tuple(f"{part}{more}" for part in WORKER_PARTS for more in ("", "-2"))
# the workers ask sample publishers; where schedules are read nobody is asked, so that nothing starts by itself
WORKERS = {"PERINATAL_MODE": "sample"}
NAME = "perinatal-mortality-rates-2022-trusthealth-board.csv"
EARLIER = NAME.replace("2022", "2021")
SERVED = ("fingertips", "hsib", "msds")  # what their samples serve over HTTP is landed by `fetch`
ASKED = (*SERVED, "ens", "mis")  # the last two share a host

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with running(tmp_path_factory.mktemp("team"), PARTS) as made:
        for part in WORKER_PARTS:
            made.start_part(part, **WORKERS)
        yield made


@pytest.fixture(scope="module")
def state(team: Team) -> Home:
    return Home(team.folder / "state")


@pytest.fixture(scope="module")
def made(state: Home) -> Path:
    """Give a folder of invented files that people bring by hand; the server knows that they are synthetic."""
    source = registry.source("mbrrace")
    return publishers.prepare(state.cache, SyntheticHashes(state.synthetic), source) / "by_hand"


def healthy(team: Team, *parts: str) -> bool:
    check = [sys.executable, str(REPO / "deploy" / "health.py"), *parts]
    return subprocess.run(check, env=team.environment, capture_output=True, check=False).returncode == 0


def test_every_part_becomes_healthy_by_its_own_check(team: Team) -> None:
    wait_for("health", lambda: healthy(team, "scheduler", "dag_processor", "triggerer") or team.died(), 180)
    leaders = [psutil.Process(process.pid) for process in team.processes.values()]
    family = [member for leader in leaders for member in (leader, *leader.children(recursive=True))]
    assert listening(family) == {"127.0.0.1"}


def test_the_chain_runs_over_two_workers(team: Team, state: Home, made: Path) -> None:
    wait_for("the watch on the inbox", lambda: "trigger ID" in team.log("triggerer"), 120)
    start = time.monotonic()
    shutil.copy(made / NAME, state.inbox / "mbrrace")
    wait_for("the edition", lambda: state.current.exists() or team.died(), 150)
    print(f"\nteam server: file dropped → edition {time.monotonic() - start:.1f} s (crowd {crowd():.1f})")
    wait_for("the end of both tasks", lambda: not team.is_busy(), 60)
    chain = {("assemble", step.__name__, "build", "success") for step in steps.ASSEMBLY}
    chain |= {("inbox", "land", "fetch", "success")}
    assert chain <= set(team.rows("select dag_id, task_id, queue, state from task_instance"))
    assert "succeeded" in team.log("worker-fetch")
    assert "succeeded" in team.log("worker-build")


def test_a_builder_that_is_stopped_hands_its_task_back(team: Team, state: Home, made: Path) -> None:
    """As `docker compose stop` does it: the worker first, while the API server is there; and started again."""
    before = state.current.resolve()
    shutil.copy(made / EARLIER, state.inbox / "mbrrace")
    wait_for("a build", lambda: any(state.build.glob("*/work.duckdb")) or team.died(), 120)
    start = time.monotonic()
    team.end("worker-build")
    print(f"\nworker asked to end in mid-build: {time.monotonic() - start:.1f} s (crowd {crowd():.1f})")
    last = "select run_id from dag_run where dag_id = 'assemble' order by id desc limit 1"
    tries = f"select state, try_number from task_instance where run_id = ({last}) and try_number > 0"
    [(stands, tried)] = team.rows(tries)
    assert stands in ("up_for_reschedule", "scheduled", "queued")
    assert tried == 1
    team.start_part("worker-build", **WORKERS)
    wait_for("the edition", lambda: state.current.resolve() != before or team.died(), 150)
    wait_for("the end of all tasks", lambda: not team.is_busy(), 60)
    assert set(team.rows(tries)) == {("success", 1)}


@dataclass(frozen=True)
class Ran:
    """One task that a worker ran, as Airflow's database has it."""

    dag: str
    task: str
    state: str
    pool: str
    worker: str
    start: datetime
    end: datetime

    def overlaps(self, other: Ran) -> bool:
        return self.start < other.end and other.start < self.end


def tasks_since(team: Team, start: datetime) -> list[Ran]:
    """Return the tasks that ran, each with the worker that says so in its log."""
    told = {name: team.log(name) for name in SCALED}
    asked = "external_executor_id, dag_id, task_id, state, pool, start_date, end_date"
    rows = team.rows(f"select {asked} from task_instance where pid is not null and start_date > %s", start)
    ran = []
    for celery_id, dag, task, state, pool, began, end in rows:
        [worker] = [name for name, log in told.items() if celery_id in log]
        ran.append(Ran(dag, task, state, pool, worker, began, end))
    return ran


@pytest.fixture(scope="module")
def ran(team: Team, state: Home) -> list[Ran]:
    """Ask several sample publishers at once, with two workers for each queue; give the tasks that ran."""
    start = datetime.now(UTC)
    for part in WORKER_PARTS:
        team.start_part(part, f"{part}-2", **WORKERS)
    wait_for("the new workers", lambda: all(map(team.takes_tasks, SCALED)), 90)
    team.trigger(*(f"ingest_{source_id}" for source_id in ASKED))
    building = "select 1 from task_instance where dag_id = 'assemble' and state = 'running'"
    wait_for("a build", lambda: team.rows(building) or team.died(), 180)
    team.trigger("housekeeping")  # it wants the pool of the builder that runs
    wait_for("the end of all runs", lambda: not team.is_busy(), 300)
    return tasks_since(team, start)


def test_scaled_workers_share_the_tasks(ran: list[Ran]) -> None:
    assert {one.worker for one in ran} == set(SCALED)
    assert {one.state for one in ran} <= {"success", "skipped"}


def test_a_worker_answers_its_own_check_and_not_for_another(team: Team) -> None:
    [_, check] = compose["services"]["worker-fetch"]["healthcheck"]["test"]

    def passes(name: str) -> bool:
        command = ["sh", "-c", check.replace("$$", "$").replace("/tmp/", f"{team.scratch(name)}/")]
        return subprocess.run(command, env=team.environment, capture_output=True, check=False).returncode == 0

    assert passes("worker-fetch-2")
    assert not passes("worker-fetch-3")


def test_two_workers_land_at_the_same_time(state: Home, ran: list[Ran]) -> None:
    fetches = [one for one in ran if one.task == "fetch"]
    assert any(one.overlaps(other) and one.worker != other.worker for one, other in combinations(fetches, 2))
    moments = {source_id: [item.fetched_at for item in landed(state, source_id)] for source_id in SERVED}
    # releases of one source were landed between releases of another
    assert any(min(a) < max(b) and min(b) < max(a) for a, b in combinations(moments.values(), 2))


def test_each_release_is_landed_once_and_whole(state: Home, ran: list[Ran], tmp_path: Path) -> None:
    assert ran
    alone = Home(tmp_path)
    steps.fetch(alone, "sample", SERVED)

    def content(home: Home) -> list[tuple[str, int, str, int]]:
        items = (item for source_id in SERVED for item in landed(home, source_id))
        return [(item.release_key, item.revision, item.content_sha256, item.rows_landed) for item in items]

    fetched = content(alone)
    # the inbox is watched too, and in it lie the sample's files of these sources that people bring by hand
    keys = {key for key, *_ in fetched}
    assert [one for one in content(state) if one[0] in keys] == fetched
    assert list(verification.damage(Archive(state.archive), LandedReleases(state.landed))) == []
    assert list(quarantine.Quarantine(state.quarantine).reports()) == []
    assert not list(state.landed.glob(".landing-*"))


def landed(home: Home, source_id: str) -> list[manifests.Manifest]:
    return [item for item in manifests.LandedReleases(home.landed).all() if item.source_id == source_id]


def test_one_task_at_a_time_for_a_host_and_for_the_edition(ran: list[Ran]) -> None:
    for pool in {one.pool for one in ran} - {"default_pool"}:
        for one, other in combinations([one for one in ran if one.pool == pool], 2):
            assert not one.overlaps(other), (one, other)
    busy = Counter(one.pool for one in ran)
    assert busy["host.resolution.nhs.uk"] >= 2
    assert busy["writer"] >= 2
    # a worker was free all the while: what wants no pool ran beside the build
    builds, [verify] = ([one for one in ran if one.task == task] for task in ("models", "verify"))
    assert any(verify.overlaps(build) and verify.worker != build.worker for build in builds)


def test_all_parts_end_when_they_are_asked(team: Team) -> None:
    asked = [process for name, process in reversed(team.processes.items()) if name not in ("postgres", "redis")]
    for process in asked:
        process.send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs([psutil.Process(process.pid) for process in asked], timeout=60 * crowd())
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
