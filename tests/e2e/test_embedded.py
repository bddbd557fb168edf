"""`perinatal up`: from a dropped file to an edition with nobody's help, through kills and refusals."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ingest import registry
from pipeline.service import SLOT_GRACE
from tests.e2e.service import Service, listening, running, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

REPO = Path(__file__).resolve().parents[2]
REAL = REPO.parent / "shared" / "releases" / "mbrrace" / "perinatal-mortality-rates-2023-trusthealth-board.csv"
ALL_DEATHS = "perinatal-mortality-rates-{}-trusthealth-board.csv"
EXCLUDING = "perinatal-mortality-rates-excluding-congenital-anomalies-{}-trusthealth-board.csv"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of invented releases in the publisher's layout."""
    folder = tmp_path_factory.mktemp("made")
    registry.source("mbrrace").sample.generate(folder)
    return folder


@pytest.fixture(scope="module")
def heard() -> Iterator[tuple[HTTPServer, list[dict[str, str]]]]:
    """Give a webhook receiver, and what it has heard."""
    messages: list[dict[str, str]] = []
    with HTTPServer(host="127.0.0.1") as server:

        def take(request: Request) -> Response:
            messages.append(json.loads(request.get_data()))
            return Response("ok")

        server.expect_request("/alerts", method="POST").respond_with_handler(take)
        yield server, messages


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, heard) -> Iterator[Service]:
    urls = json.dumps([f"json://127.0.0.1:{heard[0].port}/alerts"])
    with running(tmp_path_factory.mktemp("up"), PERINATAL_ALERT_URLS=urls) as started:
        yield started


@pytest.fixture
def idle(service: Service) -> Service:
    wait_for("all runs to end", lambda: not service.is_busy(), 120)
    return service


def test_a_first_start_asks_nobody(service: Service) -> None:
    """Whatever the hour: only a slot that came while the files were being read may run."""
    time.sleep(5)  # the scheduler looks every second
    slots = service.rows("select dag_id, run_after from dag_run where dag_id like 'ingest%'")
    assert [slot for slot in slots if datetime.fromisoformat(slot[1]) < service.started - SLOT_GRACE] == []
    assert service.rows("select count(*) from dag where is_paused") == [(0,)]


def test_it_listens_on_loopback_only_and_writes_nowhere_else(service: Service) -> None:
    assert listening(service.family()) == {"127.0.0.1"}
    assert not list(service.home_folder.iterdir())
    private = [service.home / "airflow" / name for name in ("passwords.json", "keys.json")]
    assert [path.stat().st_mode & 0o777 for path in private] == [0o600, 0o600]
    word = json.loads(private[0].read_text())["admin"]
    assert service.said().count(word) == 1


def test_the_pages_want_the_password(service: Service) -> None:
    address = f"http://127.0.0.1:{service.port}"
    word = json.loads((service.home / "airflow" / "passwords.json").read_text())["admin"]
    assert requests.get(f"{address}/api/v2/dags", timeout=60).status_code == 401
    for tried, status in (("admin", 401), (word, 201)):
        login = requests.post(f"{address}/auth/token", json={"username": "admin", "password": tried}, timeout=60)
        assert login.status_code == status


@pytest.mark.skipif(not REAL.exists(), reason=f"no real release at {REAL}")
def test_a_dropped_file_becomes_an_edition_within_a_minute(idle: Service) -> None:
    before = idle.edition()
    start = idle.drop(REAL)
    new = idle.wait_for_edition(before, 60)
    print(f"\nfile dropped → edition: {time.monotonic() - start:.1f} s")
    assert not (idle.home / "inbox" / "mbrrace" / REAL.name).exists()
    ((value, rows),) = idle.query(
        "select count(value), count(*) from marts.trust_indicator where indicator_id = 'stillbirth_rate'"
    )
    assert 0 < value <= rows
    wait_for("the edition's event", lambda: idle.events("Edition"), 10)
    assert idle.events("Landed: mbrrace")[-1]["source"] == "mbrrace"
    assert idle.events("Landed: mbrrace")[-1]["rows"] == 151
    assert idle.events("Edition")[-1]["edition"] == new


def test_two_files_dropped_during_a_build_are_both_in_the_next_edition(idle: Service, made: Path) -> None:
    before = idle.edition()
    idle.drop(made / ALL_DEATHS.format(2020))
    wait_for("the build", idle.is_building, 60)
    idle.drop(made / ALL_DEATHS.format(2021))
    time.sleep(3)  # long enough that each has an event of its own
    idle.drop(made / ALL_DEATHS.format(2022))
    first = idle.wait_for_edition(before, 90)
    assert "2020" in idle.years()
    idle.wait_for_edition(first, 90)
    wait_for("both years", lambda: {"2021", "2022"} <= idle.years(), 90)


def test_a_scheduler_killed_in_mid_build_costs_no_edition(idle: Service, made: Path) -> None:
    before = idle.edition()
    start = idle.drop(made / EXCLUDING.format(2020))
    wait_for("the build", idle.is_building, 60)
    idle.child("scheduler").kill()
    idle.wait_for_edition(before, 240)
    print(f"\nfile dropped, scheduler killed → edition: {time.monotonic() - start:.1f} s")
    assert "scheduler has ended" in idle.said()
    releases = idle.query("select dataset, release from core.dim_release where dataset like '%excluding%'")
    assert ("perinatal_mortality_excluding_congenital_anomalies", "2020") in releases
    wait_for("all runs to end", lambda: not idle.is_busy(), 120)
    assert len(list((idle.home / "build").iterdir())) == 0


def of_the_last_run(service: Service, columns: str) -> list[tuple[Any, ...]]:
    """Return these columns of the tasks of the last assembly that have begun."""
    last = "select run_id from dag_run where dag_id = 'assemble' order by id desc limit 1"
    began = f"dag_id = 'assemble' and run_id = ({last}) and try_number > 0"
    return service.rows(f"select {columns} from task_instance where {began}")


def test_a_task_that_a_person_marks_as_failed_is_ended_and_stays_failed(idle: Service, made: Path) -> None:
    before = idle.edition()
    idle.drop(made / EXCLUDING.format(2022))
    builders = wait_for("dbt", idle.builders, 60)
    [(run,)] = of_the_last_run(idle, "run_id")
    idle.mark_as_failed("assemble", run, "models")
    wait_for("dbt's end", lambda: not any(process.is_running() for process in builders), 60)
    wait_for("all runs to end", lambda: not idle.is_busy(), 60)
    assert of_the_last_run(idle, "task_id, state, try_number") == [("models", "failed", 1)]
    assert idle.edition() == before


def test_a_stop_in_mid_build_counts_no_try_and_alarms_nobody(idle: Service, heard) -> None:
    """The task that ran is the first one after the next start, in its first try."""
    before, told = idle.edition(), len(heard[1])
    idle.trigger("assemble")
    wait_for("dbt", idle.builders, 60)
    start = time.monotonic()
    assert idle.stop(signal.SIGINT) == []
    print(f"\nstopped in mid-build: {time.monotonic() - start:.1f} s")
    assert of_the_last_run(idle, "task_id, state, try_number") == [("models", "up_for_reschedule", 1)]
    idle.start()
    idle.wait_for_edition(before, 120)
    wait_for("all runs to end", lambda: not idle.is_busy(), 60)
    assert {row[1:] for row in of_the_last_run(idle, "task_id, state, try_number")} == {("success", 1)}
    assert heard[1][told:] == []


def test_an_unreadable_file_fails_at_once_and_people_hear_of_it(idle: Service, tmp_path: Path, heard) -> None:
    before, told = idle.edition(), len(heard[1])
    page = tmp_path / ALL_DEATHS.format(2019)
    page.write_text("<!doctype html><html><body>Please sign in</body></html>")
    idle.drop(page)
    wait_for("a message", lambda: heard[1][told:], 60)
    wait_for("all runs to end", lambda: not idle.is_busy(), 60)
    assert idle.runs("inbox")[-1][1] == "failed"
    assert idle.rows("select max(try_number) from task_instance where dag_id = 'inbox'") == [(1,)]
    assert idle.edition() == before
    assert list((idle.home / "quarantine" / "mbrrace").iterdir())


def test_a_blocked_gate_leaves_the_last_good_edition_and_tells(
    idle: Service, made: Path, tmp_path: Path, heard
) -> None:
    """Another dice throw without anomalies often has more deaths than all of this one: only the release gate sees."""
    before, told = idle.edition(), len(heard[1])
    registry.source("mbrrace").sample.generate(tmp_path, seed=7)
    wrong = tmp_path / EXCLUDING.format(2021)
    idle.drop(wrong)
    wait_for("a message", lambda: heard[1][told:], 120)
    wait_for("all runs to end", lambda: not idle.is_busy(), 60)
    assert "excluding_anomalies_is_the_smaller_count" in json.dumps(heard[1][told:])
    assert idle.runs("assemble")[-1][1] == "failed"
    assert [row for row in of_the_last_run(idle, "task_id, state, try_number") if row[1] == "failed"] == [
        ("gate", "failed", 1)
    ]
    assert idle.edition() == before
    assert idle.query("select count(*) from marts.trust_indicator")[0][0] > 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_running(service: Service, how: signal.Signals) -> None:
    if service.process is None or service.process.poll() is not None:
        service.start()
    family = service.family()
    assert len(family) > 6
    assert service.stop(how) == []
    children = [process for process in psutil.process_iter(["cmdline"]) if str(service.home) in _words(process)]
    assert children == []


def _words(process: psutil.Process) -> str:
    return " ".join(process.info["cmdline"] or ())
