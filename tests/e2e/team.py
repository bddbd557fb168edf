"""The team server's topology as plain processes: PostgreSQL, Redis, Airflow's parts and its Celery workers.

Environment and commands are those of docker-compose.yml, with this machine's addresses for the containers' names.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml

from pipeline import watchdog
from tests.e2e import service
from tests.e2e.service import REPO, crowd, free_port, wait_for

PACKAGES = ("postgresql", "redis-server")
PASSWORD = secrets.token_urlsafe(12)
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
    port: int
    environment: dict[str, str]
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

    def start_part(self, part: str, name: str = "", *, concurrency: int = 0, **more: str) -> None:
        """Start a service of docker-compose.yml; `name` for one more of a part, as `--scale` would."""
        command = [str(word) for word in compose["services"][part]["command"]]
        if part == "api-server":
            command = [*command[:2], "--host", "127.0.0.1", "--port", str(self.port), *command[6:]]
        if command[0] == "airflow":
            command = [sys.executable, "-m", *command]
        if concurrency:
            command[command.index("--concurrency") + 1] = str(concurrency)
        if "celery" in command:
            command += ["--celery-hostname", f"{name or part}@team"]  # containers have a host name each
        scratch = self.scratch(name or part)
        scratch.mkdir(parents=True, exist_ok=True)
        self.start(name or part, command, **{"TMPDIR": str(scratch), **more})

    def scratch(self, name: str) -> Path:
        """Return the folder for temporary files of a part, as each container has its own."""
        return self.folder / "scratch" / name

    def takes_tasks(self, worker: str) -> bool:
        """Tell whether a Celery worker has got as far as asking for tasks."""
        return f"{worker}@team ready" in self.log(worker) or self.died()

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask Airflow's database."""
        address = self.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("+psycopg2", "")
        with closing(psycopg2.connect(address)) as connection, connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall()

    def trigger(self, *dag_ids: str) -> None:
        """Start a run of each DAG by hand, through Airflow's API."""
        service.trigger(f"http://127.0.0.1:{self.port}", PASSWORD, *dag_ids)

    def is_busy(self) -> bool:
        """Tell whether any run is queued or running; fails where a part has died."""
        return bool(self.died() or self.rows("select 1 from dag_run where state in ('queued', 'running') limit 1"))

    def died(self) -> bool:
        """Fail where a part has ended; False otherwise."""
        for name, process in self.processes.items():
            assert process.poll() is None, f"{name} ended:\n{self.log(name)[-3000:]}"
        return False

    def end(self, name: str) -> None:
        """Ask a part to end, and wait until it has."""
        process = self.processes.pop(name)
        process.terminate()
        process.wait(60 * crowd())

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


@contextmanager
def running(folder: Path, parts: Iterable[str], **extra: str) -> Iterator[Team]:
    """Start these parts in a fresh folder; `extra` goes to the environment of all of them."""
    programs, redis = binaries()
    (folder / "user").mkdir(parents=True)
    for place in (folder, *folder.parents[:3]):
        if not place.stat().st_mode & stat.S_IXOTH:
            place.chmod(0o755)  # PostgreSQL runs as a user of its own
    ports = {name: free_port() for name in ("postgres", "redis", "api")}
    given = _given()
    made = Team(folder, ports["api"], _environment(folder, ports, given) | extra)
    try:
        _start_postgres(made, programs, ports["postgres"], given["POSTGRES_PASSWORD"])
        made.start("redis", _redis(redis, ports["redis"], given["REDIS_PASSWORD"], folder))
        init = [str(REPO / "deploy" / "init.sh")]
        done = subprocess.run(init, env=made.environment, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        _write_password(made)
        for name in parts:
            made.start_part(name)
        yield made
    finally:
        made.stop()


def _given() -> dict[str, str]:
    """Return what a person would fill in in .env."""
    given = {name: secrets.token_hex(16) for name in ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "AIRFLOW_JWT_SECRET")}
    given |= {"AIRFLOW_SESSION_SECRET": secrets.token_hex(16), "PERINATAL_CONTACT": "nobody@example.org"}
    return given | {"AIRFLOW_FERNET_KEY": _fernet(), "PERINATAL_MODE": "inbox"}


def _environment(folder: Path, ports: dict[str, int], given: dict[str, str]) -> dict[str, str]:
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
    return kept | {
        **settings_of("scheduler", given, places),
        "PYTHONPATH": str(REPO),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder / "user"),
        "NO_PROXY": "127.0.0.1",
        "C_FORCE_ROOT": "1",
        "HOSTNAME": "team",
    }


def _redis(program: Path, port: int, word: str, folder: Path) -> list[str]:
    options = {"bind": "127.0.0.1", "port": port, "save": "", "appendonly": "no", "requirepass": word, "dir": folder}
    return [str(program), *(part for name, value in options.items() for part in (f"--{name}", str(value)))]


def _fernet() -> str:
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


def _write_password(made: Team) -> None:
    """Start the entry point as the container does, with a command that does nothing."""
    extra = {"AIRFLOW_ADMIN_PASSWORD": PASSWORD}
    entry = str(REPO / "deploy" / "entrypoint.sh")
    subprocess.run([entry, "true"], env=made.environment | extra, check=True)
    path = Path(made.environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
    assert json.loads(path.read_text()) == {"admin": PASSWORD}
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
