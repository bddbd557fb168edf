"""`perinatal up` in small: its secrets, its environment, its watchdog, what it refuses."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from perinatal.durable import locked
from perinatal.errors import PerinatalError
from perinatal.home import Home
from pipeline import service, stopping, up, watchdog

REPO = Path(__file__).resolve().parents[3]

# a child in a session of its own, with a grandchild; neither listens to SIGTERM; tells both ids
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
grandchild = subprocess.Popen([sys.executable, "-c", code])
print(grandchild.pid, flush=True)
time.sleep(600)
"""


def test_the_password_is_made_once_and_is_private(tmp_path: Path) -> None:
    home = Home(tmp_path)
    word, is_new = service.password(home)
    path = tmp_path / "airflow" / "passwords.json"
    assert is_new
    assert service.password(home) == (word, False)
    assert len(word) >= 20
    assert path.stat().st_mode & 0o777 == 0o600


def test_keys_stay_the_same_and_are_private(tmp_path: Path) -> None:
    first, second = (service.environment(Home(tmp_path), "inbox", 8080, 8765) for _ in range(2))
    assert first == second
    assert (tmp_path / "airflow" / "keys.json").stat().st_mode & 0o777 == 0o600
    other = service.environment(Home(tmp_path / "other"), "inbox", 8080, 8765)
    for name in ("AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET"):
        assert first[name] != other[name]


def test_the_environment_names_loopback_and_nothing_outside_the_home(tmp_path: Path) -> None:
    given = service.environment(Home(tmp_path), "inbox", 1234, 4321)
    ours = {name: value for name, value in given.items() if os.environ.get(name) != value}
    for name, value in ours.items():
        if "://" in value:
            assert "127.0.0.1:1234" in value or str(tmp_path) in value, name
        if value.startswith("/") and name != "PYTHONPATH":
            assert value.startswith((str(tmp_path), str(REPO / "dags"))), name
    assert given["AIRFLOW__API__HOST"] == "127.0.0.1"


def test_a_port_that_is_taken_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PerinatalError, match=f"port {port} is not free.*--port"):
            up.run(Home(tmp_path), "inbox", port, port + 1)


def test_a_second_service_for_one_home_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with locked(service.airflow_folder(home) / ".up.lock"), pytest.raises(PerinatalError, match="is running"):
        up.run(home, "inbox", 1, 2)


@pytest.fixture
def family() -> list[int]:
    """Start a stubborn child; returns its id and the grandchild's."""
    child = subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, start_new_session=True, text=True
    )
    assert child.stdout
    return [child.pid, int(child.stdout.readline())]


@pytest.mark.parametrize("how", ["closed", "killed"])
def test_the_watchdog_ends_whole_families(family: list[int], how: str) -> None:
    """`closed`: the writer is done; `killed`: it was killed, and the kernel closed the pipe."""
    session = watchdog.Session.of(family[0])
    code = (
        "import subprocess, sys, time\n"
        "dog = subprocess.Popen([sys.executable, '-m', 'pipeline.watchdog'], stdin=subprocess.PIPE)\n"
        f"dog.stdin.write(b'+ {session.leader} {session.started!r}\\n'); dog.stdin.flush()\n"
        "print(dog.pid, flush=True)\n"
        "time.sleep(600) if sys.argv[1] == 'killed' else dog.communicate()\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", code, how],
        cwd=REPO,
        env={**os.environ, "PYTHONPATH": str(REPO)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout
    dog = int(writer.stdout.readline())
    if how == "killed":
        writer.send_signal(signal.SIGKILL)
    until = time.monotonic() + 60
    while time.monotonic() < until and any(_lives(pid) for pid in (*family, dog)):
        time.sleep(0.1)
    assert not [pid for pid in (*family, dog) if _lives(pid)]


def test_a_number_that_belongs_to_another_by_now_is_left_alone(family: list[int]) -> None:
    session = watchdog.Session.of(family[0])
    assert set(watchdog.members([session])) == set(family)
    assert watchdog.members([session._replace(started=session.started - 60)]) == []
    watchdog.kill([session])
    assert not [pid for pid in family if _lives(pid)]


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_long_log_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "LOG_LIMIT", 10)
    log = tmp_path / "part.log"
    with log.open("ab", buffering=0) as out:
        out.write(b"a long first part")
        up.Child("part", [], log).keep_log_small()
        out.write(b"second")
    assert (log.read_bytes(), (tmp_path / "part.log.1").read_bytes()) == (b"second", b"a long first part")


def test_pools_are_one_writer_and_one_connection_a_host() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.service"], cwd=REPO, capture_output=True, text=True, check=True
    )
    pools = json.loads(done.stdout)
    assert pools == service.pools()
    assert pools["writer"]["slots"] == 1
    assert any(name.startswith("host.") for name in pools)


# an executor as Airflow has it: a child for each task, and the task below it, which hears SIGTERM only after a while
EXECUTOR = """
import os, signal, subprocess, sys, time
TASK = '''
import signal, sys, time
time.sleep(1)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
time.sleep(600)
'''
WORKER = "import subprocess, sys; print(subprocess.run([sys.executable, '-c', sys.argv[1]]).returncode)"
subprocess.run([sys.executable, "-c", WORKER, TASK])
"""


def test_a_task_is_asked_to_stop_once_it_hears_and_its_executor_is_left_alone() -> None:
    executor = subprocess.Popen([sys.executable, "-c", EXECUTOR], stdout=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while executor.poll() is None and time.monotonic() < until:
        stopping.ask(executor.pid)
        time.sleep(stopping.AGAIN / 4)
    assert executor.communicate(timeout=10)[0] == "7\n"
    assert executor.returncode == 0
    stopping.ask(executor.pid)  # gone: nothing to ask
