"""`perinatal up` as a person starts it, and looks into what it does: its lines, its processes, Airflow's database."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import psutil
import requests

REPO = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def crowd() -> float:
    """Return how many times as long things take here because others want the processors too; 1 on a quiet machine."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def wait_for(what: str, found: Callable[[], Any], seconds: float) -> Any:
    """Wait until `found` gives something true; returns it. `seconds` are those of a quiet machine."""
    until = time.monotonic() + seconds * crowd()
    while time.monotonic() < until:
        if value := found():
            return value
        time.sleep(0.2)
    raise AssertionError(f"waited {seconds:.0f} s for {what}")


def listening(processes: Iterable[psutil.Process]) -> set[str]:
    """Return the addresses that these processes listen on; one may end while it is asked."""
    found = set()
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            open_here = [one for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN]
            found |= {connection.laddr.ip for connection in open_here}
    return found


def bearer(address: str, word: str) -> dict[str, str]:
    """Sign in to Airflow's API as the administrator with this password; returns what its requests carry."""
    login = requests.post(f"{address}/auth/token", json={"username": "admin", "password": word}, timeout=60)
    return {"Authorization": f"Bearer {login.json()['access_token']}"}


def trigger(address: str, word: str, *dag_ids: str) -> None:
    """Start a run of each DAG by hand, through Airflow's API."""
    headers = bearer(address, word)
    for dag_id in dag_ids:
        runs = f"{address}/api/v2/dags/{dag_id}/dagRuns"
        requests.post(runs, json={"logical_date": None}, headers=headers, timeout=60).raise_for_status()


@dataclass
class Service:
    """One `perinatal up` and its state folder; `home_folder` is what its processes take for the user's home."""

    home: Path
    home_folder: Path
    extra: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    portal_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def output(self) -> Path:
        return self.home.parent / "up.log"

    def start(self, *options: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PERINATAL_", "AIRFLOW"))}
        environment = kept | {
            "PERINATAL_HOME": str(self.home),
            "HOME": str(self.home_folder),
            "PYTHONPATH": str(REPO),
            **self.extra,
        }
        ports = ["--port", str(self.port), "--portal-port", str(self.portal_port)]
        with self.output.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pipeline.commands.app", "up", *ports, *options],
                cwd=self.home_folder,
                env=environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        before = self.said().count("Ready.")
        wait_for("Ready", lambda: self.said().count("Ready.") > before or self._died(), 180)

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8") if self.output.exists() else ""

    def _died(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.said()
        return False

    def family(self) -> list[psutil.Process]:
        """Return this service and everything it has started."""
        assert self.process is not None
        try:
            me = psutil.Process(self.process.pid)
            return [me, *me.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def child(self, name: str) -> psutil.Process:
        return next(process for process in self.family()[1:] if _is(process, name))

    def builders(self) -> list[psutil.Process]:
        """Return the processes in which dbt runs."""
        return [process for process in self.family() if "dbt.cli.main" in " ".join(_words(process))]

    @property
    def started(self) -> datetime:
        """Return when it was started, in UTC without saying so, as Airflow's SQLite has it."""
        assert self.process is not None
        return datetime.fromtimestamp(psutil.Process(self.process.pid).create_time(), UTC).replace(tzinfo=None)

    def stop(self, how: signal.Signals = signal.SIGINT) -> list[psutil.Process]:
        """End it; returns what is still alive of all that it had started, after a while."""
        family = self.family()
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(40)
        _, alive = psutil.wait_procs(family, timeout=15)
        return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]

    # --- what it does ---------------------------------------------------------------------------------------

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask Airflow's database."""
        path = self.home / "airflow" / "airflow.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as connection:
            return connection.execute(sql, values).fetchall()

    def runs(self, dag_id: str) -> list[tuple[Any, ...]]:
        return self.rows("select run_type, state from dag_run where dag_id = ? order by id", dag_id)

    def is_busy(self) -> bool:
        """Tell whether any run is queued or running."""
        return bool(self.rows("select 1 from dag_run where state in ('queued', 'running') limit 1"))

    def events(self, asset: str) -> list[dict[str, Any]]:
        """Return what the events of an asset say."""
        sql = "select e.extra from asset_event e join asset a on a.id = e.asset_id where a.name = ? order by e.id"
        return [json.loads(extra) for (extra,) in self.rows(sql, asset)]

    def drop(self, file: Path, source: str = "mbrrace", name: str | None = None) -> float:
        """Copy a file into the inbox as a person would; returns when."""
        now = time.monotonic()
        (self.home / "inbox" / source / (name or file.name)).write_bytes(file.read_bytes())
        return now

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def word(self) -> str:
        """Return the password for Airflow's pages."""
        return str(json.loads((self.home / "airflow" / "passwords.json").read_text(encoding="utf-8"))["admin"])

    def trigger(self, dag_id: str) -> None:
        """Start a run by hand, through Airflow's API."""
        trigger(self.address, self.word, dag_id)

    def mark_as_failed(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Do what a person does on Airflow's pages with a task that shall not go on."""
        task = f"{self.address}/api/v2/dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances/{task_id}"
        headers = bearer(self.address, self.word)
        requests.patch(task, json={"new_state": "failed"}, headers=headers, timeout=60).raise_for_status()

    def edition(self) -> str | None:
        current = self.home / "current"
        return current.resolve().name if current.exists() else None

    def wait_for_edition(self, after: str | None, seconds: float) -> str:
        return str(wait_for("a new edition", lambda: self.edition() not in (None, after) and self.edition(), seconds))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the current edition."""
        with duckdb.connect(str((self.home / "current").resolve() / "perinatal.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def years(self) -> set[str]:
        """Return the years of MBRRACE-UK in the current edition."""
        return {
            year for (year,) in self.query("select distinct release from core.dim_release where source_id = 'mbrrace'")
        }

    def is_building(self) -> bool:
        """Tell whether dbt is writing a candidate at this moment."""
        return any((self.home / "build").glob("*/work.duckdb"))


def _is(process: psutil.Process, name: str) -> bool:
    words = _words(process)
    return name in words or f"airflow {name.replace('-', '_')}" in " ".join(words)


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


@contextmanager
def running(folder: Path, *options: str, **extra: str) -> Iterator[Service]:
    """Start a service in a fresh folder; nothing of it is left at the end, whatever happens."""
    (folder / "user").mkdir(parents=True)
    service = Service(folder / "home", folder / "user", extra)
    service.start(*options)
    try:
        yield service
    finally:
        if service.process and service.process.poll() is None:
            left = service.stop(signal.SIGTERM)
            assert not left, left
