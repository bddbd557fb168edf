"""The team server's topology as plain processes: PostgreSQL, Redis, Celery workers, and the chain through it.

Environment and commands are those of docker-compose.yml, with this machine's addresses for the containers' names.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
import yaml

from ingest import registry
from perinatal import watchdog
from tests.e2e.service import REPO, crowd, free_port, listening, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

PACKAGES = ("postgresql", "redis-server")
PARTS = ("api-server", "scheduler", "dag-processor", "triggerer", "worker-fetch", "worker-build")
compose: dict[str, Any] = yaml.safe_load((REPO / "docker-compose.yml").read_text(encoding="utf-8"))


def binaries() -> tuple[Path, Path]:
    """Return PostgreSQL's folder of programs and redis-server, installed from Debian's packages if need be; or skip."""
    if found := _found():
        return found
    if os.getuid() != 0 or not shutil.which("apt-get"):
        pytest.skip("no PostgreSQL and Redis here, and not root on a Debian to install them")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # installed, not started
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
        done = subprocess.run(["apt-get", *command], env=quiet, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"apt-get {command[0]}: {done.stderr.strip().splitlines()[-1:]}")
    found = _found()
    assert found
    return found


def _found() -> tuple[Path, Path] | None:
    servers = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    redis = shutil.which("redis-server")
    return (servers[-1].parent, Path(redis)) if servers and redis else None


@dataclass
class Team:
    """The parts, each in a session of its own."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    sessions: list[watchdog.Session] = field(default_factory=list)

    def start(self, name: str, command: list[str], user: str | None = None, **more: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as out:
            self.processes[name] = subprocess.Popen(
                command,
                env=self.environment | more,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                user=user,
                start_new_session=True,
            )
        self.sessions.append(watchdog.Session.of(self.processes[name].pid))

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def tasks(self) -> list[tuple[Any, ...]]:
        """Ask Airflow's database: DAG, task, queue and state of each task that it knows."""
        address = self.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("+psycopg2", "")
        with closing(psycopg2.connect(address)) as connection, connection.cursor() as cursor:
            cursor.execute("select dag_id, task_id, queue, state from task_instance")
            return cursor.fetchall()

    def stop(self) -> None:
        watchdog.end(self.sessions, grace=15)
        for process in self.processes.values():
            process.wait(10)


def settings_of(name: str, given: dict[str, str], places: dict[str, str]) -> dict[str, str]:
    """Return a part's environment as compose would make it, with other places for what is inside the network."""

    def value(match: re.Match[str]) -> str:
        default = (match[2] or "").removeprefix(":-") if (match[2] or "").startswith(":-") else ""
        return given.get(match[1], default)

    made = {}
    for key, text in compose["services"][name]["environment"].items():
        filled = re.sub(r"\$\{(\w+)(:[-?][^}]*)?\}", value, str(text))
        for old, new in places.items():
            filled = filled.replace(old, new)
        made[key] = filled
    return made


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    programs, redis = binaries()
    folder = tmp_path_factory.mktemp("team")
    for place in (folder, *folder.parents[:2]):
        place.chmod(0o755)  # PostgreSQL runs as a user of its own
    ports = {name: free_port() for name in ("postgres", "redis", "api")}
    given = {name: secrets.token_hex(16) for name in ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "AIRFLOW_JWT_SECRET")}
    given |= {"AIRFLOW_SESSION_SECRET": secrets.token_hex(16), "PERINATAL_CONTACT": "nobody@example.org"}
    given |= {"AIRFLOW_FERNET_KEY": _fernet(), "PERINATAL_MODE": "inbox"}
    places = {
        "@postgres:5432": f"@127.0.0.1:{ports['postgres']}",
        "@redis:6379": f"@127.0.0.1:{ports['redis']}",
        "http://api-server:8080": f"http://127.0.0.1:{ports['api']}",
        "/opt/perinatal": str(REPO),
        "/var/lib/perinatal": str(folder / "state"),
        "/var/lib/airflow": str(folder / "airflow"),
        "/var/log/airflow": str(folder / "logs"),
    }
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("PERINATAL_", "AIRFLOW"))}
    (folder / "user").mkdir()
    made = Team(folder)
    made.environment = kept | {
        **settings_of("scheduler", given, places),
        "PYTHONPATH": str(REPO),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder / "user"),
        "NO_PROXY": "127.0.0.1",
        "C_FORCE_ROOT": "1",
        "HOSTNAME": "team",
    }
    try:
        _start_postgres(made, programs, ports["postgres"], given["POSTGRES_PASSWORD"])
        made.start(
            "redis",
            _redis(redis, ports["redis"], given["REDIS_PASSWORD"], folder),
        )
        init = subprocess.run(
            [str(REPO / "deploy" / "init.sh")],
            env=made.environment,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert init.returncode == 0, init.stderr[-3000:]
        _write_password(made)
        for name in PARTS:
            _start_part(made, name, ports["api"])
        yield made
    finally:
        made.stop()


def _redis(program: Path, port: int, word: str, folder: Path) -> list[str]:
    options = {"bind": "127.0.0.1", "port": port, "save": "", "appendonly": "no", "requirepass": word, "dir": folder}
    return [str(program), *(part for name, value in options.items() for part in (f"--{name}", str(value)))]


def _fernet() -> str:
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


def _write_password(made: Team) -> None:
    """Start the entry point as the container does, with a command that does nothing."""
    extra = {"AIRFLOW_ADMIN_PASSWORD": "only-for-this-test"}
    entry = str(REPO / "deploy" / "entrypoint.sh")
    subprocess.run([entry, "true"], env=made.environment | extra, check=True)
    path = Path(made.environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
    assert json.loads(path.read_text()) == {"admin": "only-for-this-test"}
    assert path.stat().st_mode & 0o777 == 0o600


def _start_postgres(made: Team, programs: Path, port: int, word: str) -> None:
    user = "postgres" if os.getuid() == 0 else None
    data, secret = made.folder / "database", made.folder / "word"
    data.mkdir()
    secret.write_text(word)
    if user:
        shutil.chown(data, user)
        shutil.chown(secret, user)
    make = [str(programs / "initdb"), "--pgdata", str(data), "--username", "airflow", "--pwfile", str(secret)]
    subprocess.run([*make, "--auth", "scram-sha-256"], check=True, user=user, cwd="/", stdout=subprocess.DEVNULL)
    secret.unlink()
    options = ["-p", str(port), "-c", "listen_addresses=127.0.0.1", "-k", str(data), "-c", "fsync=off"]
    made.start("postgres", [str(programs / "postgres"), "-D", str(data), *options], user=user)
    ready = [str(programs / "pg_isready"), "-h", "127.0.0.1", "-p", str(port)]
    wait_for("PostgreSQL", lambda: subprocess.run(ready, check=False, stdout=subprocess.DEVNULL).returncode == 0, 60)
    create = [str(programs / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "airflow", "airflow"]
    subprocess.run(create, check=True, env=made.environment | {"PGPASSWORD": word})


def _start_part(made: Team, name: str, port: int) -> None:
    command = [str(word) for word in compose["services"][name]["command"]]
    if name == "api-server":
        command = [*command[:2], "--host", "127.0.0.1", "--port", str(port), *command[6:]]
    if command[0] == "airflow":
        command = [sys.executable, "-m", *command]
    if "celery" in command:
        command += ["--celery-hostname", f"{name}@team"]
    made.start(name, command)


def healthy(team: Team, *parts: str) -> bool:
    check = [sys.executable, str(REPO / "deploy" / "health.py"), *parts]
    return subprocess.run(check, env=team.environment, capture_output=True, check=False).returncode == 0


def test_every_part_becomes_healthy_by_its_own_check(team: Team) -> None:
    wait_for("health", lambda: healthy(team, "scheduler", "dag_processor", "triggerer") or _died(team), 180)
    leaders = [psutil.Process(process.pid) for process in team.processes.values()]
    family = [member for leader in leaders for member in (leader, *leader.children(recursive=True))]
    assert listening(family) == {"127.0.0.1"}


def test_the_chain_runs_over_two_workers(team: Team, tmp_path: Path) -> None:
    state = team.folder / "state"
    inbox = state / "inbox" / "mbrrace"
    inbox.mkdir(parents=True)
    registry.source("mbrrace").sample.generate(tmp_path)
    wait_for("the watch on the inbox", lambda: "trigger ID" in team.log("triggerer"), 120)
    start = time.monotonic()
    name = "perinatal-mortality-rates-2022-trusthealth-board.csv"
    shutil.copy(tmp_path / name, inbox / name)
    wait_for("the edition", lambda: (state / "current").exists() or _died(team), 150)
    print(f"\nteam server: file dropped → edition {time.monotonic() - start:.1f} s (crowd {crowd():.1f})")
    chain = {("inbox", "land", "fetch", "success"), ("assemble", "build", "build", "success")}
    wait_for("the end of both tasks", lambda: chain <= set(team.tasks()), 60)
    assert "succeeded" in team.log("worker-fetch")
    assert "succeeded" in team.log("worker-build")


def _died(team: Team) -> bool:
    for name, process in team.processes.items():
        assert process.poll() is None, f"{name} ended:\n{team.log(name)[-3000:]}"
    return False


def test_all_parts_end_when_they_are_asked(team: Team) -> None:
    for name in reversed(PARTS):
        team.processes[name].send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs([psutil.Process(team.processes[name].pid) for name in PARTS], timeout=60 * crowd())
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
