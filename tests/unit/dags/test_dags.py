"""The DAGs as Airflow reads them, and each of them run once by `dag.test()` on a state folder of its own."""

from __future__ import annotations

import itertools
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from expectations import alerts
from ingest import registry
from perinatal import settings
from perinatal.console import say
from perinatal.errors import BlockedByGate, Damaged, PerinatalError, RefusedAtArrival
from perinatal.home import Home
from pipeline import assembly, service, steps

REPO = Path(__file__).resolve().parents[3]
FIXED = {"assemble", "housekeeping", "inbox", "notify"}
ASSEMBLY = ["models", "themes", "gate", "downloads", "pages", "publish"]
SKIPPED = dict.fromkeys(ASSEMBLY, "skipped")
SOURCES = {path.parent.name for path in (REPO / "ingest" / "sources").glob("*/source.yml")}

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def bag(airflow_database: Path) -> Any:
    """Read the DAGs as a service reads them that asks publishers; what a task does follows the mode of its run."""
    from airflow.dag_processing.dagbag import DagBag

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERINATAL_MODE", "live")
        settings.get.cache_clear()
        read = DagBag(str(REPO / "dags"))
    settings.get.cache_clear()
    return read


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setenv("PERINATAL_HOME", str(tmp_path / "home"))
    settings.get.cache_clear()
    yield Home(tmp_path / "home")
    settings.get.cache_clear()


@pytest.fixture
def run(bag: Any, home: Home) -> Callable[[str], dict[str, str]]:
    """Run a DAG in this process; returns the state of each task."""
    ticks = iter(range(10_000))

    def once(dag_id: str) -> dict[str, str]:
        logical = datetime.now(UTC) + timedelta(milliseconds=next(ticks))
        done = bag.get_dag(dag_id).test(logical_date=logical)
        return {ti.task_id: str(ti.state) for ti in done.get_task_instances()}

    return once


# --- as they are read --------------------------------------------------------------------------------------


def test_exactly_the_expected_dags_are_read_without_an_error(bag: Any) -> None:
    assert bag.import_errors == {}
    assert set(bag.dag_ids) == FIXED | {f"ingest_{source}" for source in SOURCES}


def test_every_dag_has_its_manners(bag: Any) -> None:
    for dag in bag.dags.values():
        assert dag.max_active_runs == 1, dag.dag_id
        assert dag.dagrun_timeout, dag.dag_id
        assert dag.catchup is False, dag.dag_id
        assert dag.start_date is None, dag.dag_id
        assert dag.doc_md, dag.dag_id
        assert dag.description, dag.dag_id
        assert "perinatal" in dag.tags, dag.dag_id
        for task in dag.tasks:
            assert task.owner == "perinatal", task
            assert task.execution_timeout, task
            assert task.on_failure_callback, task
            assert task.queue in (service.FETCH_QUEUE, service.BUILD_QUEUE), task
            assert task.pool in {"default_pool", *service.pools()}, task


def test_the_limit_of_a_run_comes_after_every_try_of_its_tasks(bag: Any) -> None:
    """Else no task would ever reach its own limit: at the run's, Airflow shows it as skipped."""

    def paths(task: Any) -> list[list[Any]]:
        return [[task, *rest] for after in task.downstream_list for rest in paths(after)] or [[task]]

    for dag in bag.dags.values():
        for path in itertools.chain(*map(paths, dag.roots)):
            tries = sum(((one.retries + 1) * one.execution_timeout for one in path), timedelta())
            pauses = sum((one.retries * one.max_retry_delay for one in path), timedelta())
            assert dag.dagrun_timeout >= tries + pauses + timedelta(hours=1), dag.dag_id
        assert dag.on_failure_callback, dag.dag_id
        assert dag.on_success_callback, dag.dag_id


def test_only_one_task_writes_at_a_time(bag: Any) -> None:
    writers = {(t.dag_id, t.task_id) for dag in bag.dags.values() for t in dag.tasks if t.pool == service.WRITER_POOL}
    assert writers == {*(("assemble", name) for name in ASSEMBLY), ("housekeeping", "prune")}
    assert service.pools()[service.WRITER_POOL]["slots"] == 1


def test_sources_of_one_host_share_a_pool_of_one(bag: Any) -> None:
    for source in registry.all_sources().values():
        for task in bag.get_dag(f"ingest_{source.id}").tasks:
            if task.task_id in ("probe", "fetch"):
                assert task.pool == service.host_pool(source)
    assert {pool["slots"] for pool in service.pools().values()} == {1}


def test_the_assembly_is_one_chain_of_its_steps(bag: Any) -> None:
    """The grid shows the steps of `perinatal build`, by their names and in their order."""
    dag = bag.get_dag("assemble")
    assert [step.__name__ for step in steps.ASSEMBLY] == ASSEMBLY == list(assembly.STEPS)
    for before, after in itertools.pairwise(ASSEMBLY):
        assert dag.get_task(before).downstream_task_ids == {after}
    assert dag.get_task("publish").downstream_task_ids == set()


def test_every_dag_and_every_task_explains_itself(bag: Any) -> None:
    for dag in bag.dags.values():
        assert len(dag.doc_md.split()) > 40, dag.dag_id
        for name in (task.task_id for task in dag.tasks):
            assert f"`{name}`" in dag.doc_md, (dag.dag_id, name)
        for task in dag.tasks:
            assert task.doc_md, task


def test_in_inbox_mode_the_ingest_dags_are_off_and_say_so(airflow_database: Path) -> None:
    from airflow.dag_processing.dagbag import DagBag

    read = DagBag(str(REPO / "dags"))
    for source in SOURCES:
        dag = read.get_dag(f"ingest_{source}")
        assert not dag.timetable.can_be_scheduled, source
        assert dag.description.startswith("Off: nobody is asked in mode inbox"), source
        assert "no publisher is asked" in dag.doc_md, source


def test_any_landed_source_wakes_the_assembly(bag: Any) -> None:
    condition = bag.get_dag("assemble").timetable.asset_condition
    assert type(condition).__name__.endswith("AssetAny")
    assert {asset.uri for asset in condition.objects} == {f"perinatal://landed/{s}" for s in SOURCES}
    assert bag.get_dag("assemble").timetable.timetable.expression == "0 2 * * *"


def test_reading_dag_files_imports_nothing_heavy_beyond_airflow(airflow_database: Path) -> None:
    code = """
import json, sys
import airflow.sdk, airflow.triggers.base, airflow.sdk.exceptions
from importlib.util import module_from_spec, spec_from_file_location
before, found = set(sys.modules), {}
for path in sys.argv[1:]:
    spec = spec_from_file_location("dag_file", path)
    spec.loader.exec_module(module_from_spec(spec))
    found[path] = sorted({name.split(".")[0] for name in set(sys.modules) - before})
print(json.dumps(found))
"""
    command = [sys.executable, "-c", code, *map(str, sorted((REPO / "dags").glob("*.py")))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPO)
    for path, imported in json.loads(done.stdout.splitlines()[-1]).items():
        heavy = {"great_expectations", "dbt", "pandas", "duckdb", "sklearn", "requests", "lxml"} & set(imported)
        assert not heavy, (path, heavy)


# --- when they run -----------------------------------------------------------------------------------------


def _first_run(dag: Any, now: datetime, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Return when Airflow would run a DAG that it has never seen, if it were `now`."""
    from airflow.serialization.serialized_objects import DagSerialization
    from airflow.timetables import trigger

    monkeypatch.setattr(trigger, "utcnow", lambda: now)
    read = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
    return read.next_dagrun_info(last_automated_run_info=None).run_after


@pytest.mark.parametrize("hour", range(0, 24, 3))
@pytest.mark.parametrize("day", range(1, 8))
def test_a_first_start_waits_for_the_next_slot(bag: Any, day: int, hour: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At no moment of a week would a new installation ask more than those whose slot is just now."""
    import pendulum

    now = pendulum.datetime(2026, 11, day, hour, 31, 7)
    for source in SOURCES:
        assert _first_run(bag.get_dag(f"ingest_{source}"), now, monkeypatch) > now, source


def test_a_slot_is_not_lost_when_the_files_are_read_at_that_very_moment(
    bag: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pendulum

    slot = pendulum.datetime(2026, 11, 24, 5, 25)  # a Tuesday; British time is UTC in winter
    dag = bag.get_dag("ingest_mbrrace")
    assert _first_run(dag, slot.add(seconds=30), monkeypatch) == slot
    assert _first_run(dag, slot.add(minutes=3), monkeypatch) == slot.add(days=7)


def test_the_night_is_british(bag: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import pendulum

    dag = bag.get_dag("inbox")
    assert _first_run(dag, pendulum.datetime(2026, 7, 1, 12), monkeypatch) == pendulum.datetime(2026, 7, 2, 0, 40)
    assert _first_run(dag, pendulum.datetime(2026, 12, 1, 12), monkeypatch) == pendulum.datetime(2026, 12, 2, 1, 40)


# --- each of them once -------------------------------------------------------------------------------------


def test_nothing_landed_nothing_built(run: Callable[[str], dict[str, str]], home: Home) -> None:
    assert run("assemble") == SKIPPED
    assert not home.current.exists()


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_in_inbox_mode_no_publisher_is_asked(run: Callable[[str], dict[str, str]], source: str) -> None:
    assert run(f"ingest_{source}") == {"probe": "skipped", "fetch": "skipped", "problems": "skipped"}


def test_an_empty_inbox_wakes_nobody(run: Callable[[str], dict[str, str]], home: Home) -> None:
    assert run("inbox") == {"land": "skipped", "problems": "skipped"}


@pytest.mark.slow
def test_from_the_inbox_to_an_edition_and_then_nothing_new(
    run: Callable[[str], dict[str, str]], home: Home, tmp_path: Path
) -> None:
    drop = home.inbox / "mbrrace"
    drop.mkdir(parents=True)
    registry.source("mbrrace").sample.generate(tmp_path)
    names = sorted(path.name for path in tmp_path.glob("*-2022-*.csv"))
    for name in names:
        (drop / name).write_bytes((tmp_path / name).read_bytes())
    (drop / "perinatal-mortality-rates-2021-trusthealth-board.csv").write_text("<html><body>Sign in</body></html>")
    assert run("inbox") == {"land": "success", "problems": "failed"}
    assert run("assemble") == dict.fromkeys(ASSEMBLY, "success")
    edition = home.current.resolve()
    assert run("inbox") == {"land": "skipped", "problems": "skipped"}
    assert run("assemble") == SKIPPED
    assert home.current.resolve() == edition
    assert run("housekeeping") == {"prune": "skipped", "verify": "success"}
    said = _said_of_edition()
    assert said["edition"] == edition.name
    assert (said["page"], said["data_docs"]) == (
        "http://127.0.0.1:8765/portal/index.html",
        "http://127.0.0.1:8765/quality/data_docs/index.html",
    )
    archived = next(home.archive.glob("??/*"))
    archived.chmod(0o644)
    archived.write_bytes(b"damaged")
    assert run("housekeeping")["verify"] == "failed"
    assert {alert.breach.rule for alert in alerts.AlertLog(home.alerts).open()} >= {"archive_is_whole"}


def _said_of_edition() -> dict[str, Any]:
    """Return what the newest event of the edition says."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        newest = (
            select(AssetEvent)
            .join(AssetModel, AssetModel.id == AssetEvent.asset_id)
            .where(AssetModel.name == "Edition")
        )
        return dict(session.scalars(newest.order_by(AssetEvent.id.desc())).first().extra)


@pytest.mark.slow
def test_a_sample_publisher_is_asked_over_http(
    run: Callable[[str], dict[str, str]], home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERINATAL_MODE", "sample")
    settings.get.cache_clear()
    assert run("ingest_msds") == {"probe": "success", "fetch": "success", "problems": "skipped"}
    # landed, and in no edition yet: told again, so that a missed event is harmless
    assert run("ingest_msds")["probe"] == "skipped"


def test_alerts_are_told_once(run: Callable[[str], dict[str, str]], home: Home, httpserver: Any, monkeypatch) -> None:
    httpserver.expect_request("/hook", method="POST").respond_with_data("ok")
    monkeypatch.setenv("PERINATAL_ALERT_URLS", json.dumps([f"json://127.0.0.1:{httpserver.port}/hook"]))
    settings.get.cache_clear()
    alerts.AlertLog(home.alerts).reconcile("release", [alerts.Breach("a_rule", "block", "what is wrong")])
    assert run("notify") == {"send": "success"}
    assert run("notify") == {"send": "skipped"}
    assert len(httpserver.log) == 1


def test_old_runs_leave_airflows_database_and_young_ones_stay(
    run: Callable[[str], dict[str, str]], airflow_database: Path
) -> None:
    """By the command that `perinatal up` and the team server's init give."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select, update

    run("inbox")
    run("inbox")  # the last run of a DAG always stays
    inbox_runs = select(DagRun.id).where(DagRun.dag_id == "inbox").order_by(DagRun.id)
    with create_session() as session:
        before = session.scalars(inbox_runs).all()
        old = datetime.now(UTC) - timedelta(days=31)
        changed = update(DagRun).where(DagRun.id == before[-2])
        session.execute(changed.values(start_date=old, end_date=old))
    command = [sys.executable, "-m", "airflow", *service.clean_command()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPO)
    assert done.returncode == 0, done.stderr[-2000:]
    with create_session() as session:
        assert session.scalars(inbox_runs).all() == [number for number in before if number != before[-2]]


# --- when it goes wrong ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "refusal",
    [
        BlockedByGate("blocked: masks", alerted=["release"]),
        RefusedAtArrival("refused: no header", alerted=["arrival/mbrrace/deaths.csv"]),
    ],
)
def test_what_a_gate_refuses_fails_at_once_with_the_reason_first(
    run: Callable[[str], dict[str, str]],
    home: Home,
    refusal: PerinatalError,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        for scope in refusal.alerted:
            alerts.AlertLog(home.alerts).reconcile(
                alerts.Scope.read(scope), [alerts.Breach("a_rule", "block", "wrong")]
            )
        raise refusal

    monkeypatch.setattr(assembly, "advance", refuse)
    with caplog.at_level(logging.ERROR):
        states = run("assemble")
    assert states.pop("models") == "failed"
    assert set(states.values()) == {"upstream_failed"}
    assert [record.getMessage() for record in caplog.records if record.name == "dags.wiring"] == [str(refusal)]
    # the gate itself opens one; a second would say the same
    assert [str(alert.scope) for alert in alerts.AlertLog(home.alerts).open()] == list(refusal.alerted)


@pytest.mark.parametrize("refusal", [Damaged("damaged: bytes"), BlockedByGate("blocked: masks", alerted=["release"])])
def test_a_refusal_of_which_the_log_knows_nothing_gets_an_alert(
    run: Callable[[str], dict[str, str]], home: Home, refusal: PerinatalError, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembly, "advance", _raising(refusal))
    assert run("assemble")["models"] == "failed"
    (alert,) = alerts.AlertLog(home.alerts).open()
    assert (str(alert.scope), alert.breach.message) == ("operations/assemble/models", str(refusal))


def test_damage_in_the_shared_store_has_one_alert(
    run: Callable[[str], dict[str, str]], home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "store" / "landed" / "mbrrace" / "perinatal_mortality" / "2022" / f"{'0' * 64}.json"
    record.parent.mkdir(parents=True)
    record.write_text("{")
    monkeypatch.setenv("PERINATAL_STORAGE_URL", f"file://{tmp_path}/store")
    settings.get.cache_clear()
    assert run("inbox")["land"] == "failed"
    assert run("assemble")["models"] == "failed"
    assert [str(alert.scope) for alert in alerts.AlertLog(home.alerts).open()] == ["storage"]


@pytest.mark.usefixtures("airflow_database")
def test_damage_in_the_shared_store_stops_no_build(caplog: pytest.LogCaptureFixture) -> None:
    from dags import wiring

    line = "landed/mbrrace: damaged"
    built = assembly.Built(True, "models are built", (line,), Damaged, ("storage",), (line,), what="under_way")
    with caplog.at_level(logging.INFO):
        wiring.conclude_build(built)
    assert [record.getMessage() for record in caplog.records] == [line, "models are built"]
    with pytest.raises(Damaged, match=f"nothing new; {line}") as failed:
        wiring.conclude_build(replace(built, changed=False, message="nothing new"))
    assert failed.value.alerted == ("storage",)


def test_progress_is_no_error_in_a_tasks_log(airflow_database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Airflow's log takes standard error for errors."""
    from dags import wiring

    with wiring.as_task():
        say("Building 1 release(s): 10.0 s")
    assert capsys.readouterr() == ("Building 1 release(s): 10.0 s\n", "")


@pytest.fixture
def unasked() -> Iterator[None]:
    """Put back how this process takes SIGTERM."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def _asked_to_stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)


@pytest.mark.usefixtures("airflow_database", "unasked")
def test_a_task_hands_itself_back_when_the_service_stops() -> None:
    """Also where a library answers with an error of its own, as DuckDB does; asked again while it cleans up."""
    from airflow.sdk.exceptions import AirflowRescheduleException

    from dags import wiring

    def step() -> None:
        try:
            _asked_to_stop()
        except BaseException:
            os.kill(os.getpid(), signal.SIGTERM)
            raise RuntimeError("Query interrupted") from None

    start = time.monotonic()
    with pytest.raises(AirflowRescheduleException) as handed, wiring.as_task():
        step()
    assert "Query interrupted" in repr(handed.value.__cause__)
    assert handed.value.reschedule_date <= datetime.now(UTC)
    assert time.monotonic() - start < 50
    os.kill(os.getpid(), signal.SIGTERM)  # asked while it tells Airflow: it goes on


@pytest.mark.usefixtures("airflow_database", "unasked")
def test_a_task_that_did_not_hear_is_asked_again() -> None:
    from airflow.sdk.exceptions import AirflowRescheduleException

    from dags import wiring

    def step() -> None:
        with suppress(wiring.Stopped):
            _asked_to_stop()
        time.sleep(wiring.UNHEARD + 0.1)
        _asked_to_stop()

    with pytest.raises(AirflowRescheduleException), wiring.as_task():
        step()


@pytest.mark.usefixtures("airflow_database", "unasked")
def test_a_task_that_nobody_stops_leaves_signals_as_they_were() -> None:
    from dags import wiring

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(OSError, match="disk"), wiring.as_task():
        raise OSError("the disk is full")
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_the_world_did_is_tried_again(
    run: Callable[[str], dict[str, str]], home: Home, bag: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def advance(*_: object, **__: object) -> None:
        tried.append(1)
        raise OSError("no space left on device")

    monkeypatch.setattr(assembly, "advance", advance)
    monkeypatch.setattr(bag.get_dag("assemble").get_task("models"), "retry_delay", timedelta(0))
    monkeypatch.setattr(bag.get_dag("assemble").get_task("models"), "retry_exponential_backoff", 0)
    assert run("assemble")["models"] == "failed"
    assert len(tried) == 3
    (alert,) = alerts.AlertLog(home.alerts).open()
    assert (str(alert.scope), alert.breach.rule) == ("operations/assemble/models", "task_failed")
    assert "no space left" in alert.breach.message


def test_a_task_that_is_well_again_closes_its_alert(run: Callable[[str], dict[str, str]], home: Home) -> None:
    alerts.AlertLog(home.alerts).reconcile(
        "operations/assemble/models", [alerts.Breach("task_failed", "block", "it failed")]
    )
    run("assemble")
    assert alerts.AlertLog(home.alerts).open() == []


def test_a_run_that_reaches_its_limit_opens_an_alert_and_the_next_good_run_closes_it(
    run: Callable[[str], dict[str, str]], home: Home, bag: Any
) -> None:
    run("inbox")
    assert _time_out("inbox", bag) == {"land": "skipped", "problems": "skipped"}
    (alert,) = alerts.AlertLog(home.alerts).open()
    assert (str(alert.scope), alert.breach.rule) == ("operations/inbox/run", "run_ended_early")
    assert (alert.breach.severity, "time limit of 15 hour(s)" in alert.breach.message) == ("block", True)
    run("inbox")
    assert alerts.AlertLog(home.alerts).open() == []


def _time_out(dag_id: str, bag: Any) -> dict[str, str]:
    """Let Airflow's scheduler find the last run of a DAG unfinished at its limit; returns the states of its tasks."""
    import structlog
    from airflow.dag_processing.processor import _execute_dag_callbacks
    from airflow.jobs.job import Job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        found = session.scalars(select(DagRun).where(DagRun.dag_id == dag_id).order_by(DagRun.id.desc())).first()
        found.set_state("running")
        found.start_date = datetime.now(UTC) - bag.get_dag(dag_id).dagrun_timeout - timedelta(minutes=1)
        for ti in found.get_task_instances(session=session):
            ti.state = "running" if ti.task_id == "land" else None
        session.flush()
        request = SchedulerJobRunner(Job(), executors=[])._schedule_dag_run(found, session)
        _execute_dag_callbacks(bag, request, structlog.get_logger())
        return {ti.task_id: str(ti.state) for ti in found.get_task_instances(session=session)}


def test_a_task_that_reaches_its_limit_says_so(
    run: Callable[[str], dict[str, str]], home: Home, bag: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = bag.get_dag("assemble").get_task("models")
    monkeypatch.setattr(assembly, "advance", lambda *_: time.sleep(60))
    monkeypatch.setattr(models, "execution_timeout", timedelta(seconds=1.8))
    monkeypatch.setattr(models, "retries", 0)
    assert run("assemble")["models"] == "failed"
    (alert,) = alerts.AlertLog(home.alerts).open()
    assert (str(alert.scope), alert.breach.message) == (
        "operations/assemble/models",
        "it reached its time limit of 0.0005 hour(s)",
    )


def _raising(error: Exception) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail
