"""`perinatal up`: Airflow and the portal as children of one command, on loopback, with all state in one folder.

The children are kept alive; Ctrl-C or SIGTERM ends them, and a watchdog does if this process is killed itself. Each
child has a session of its own, so that its whole family (the scheduler's workers, their tasks, dbt) is found and ended
with it: a killed scheduler leaves workers behind that would otherwise wait for ever.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from perinatal.console import say
from perinatal.durable import locked
from perinatal.errors import PerinatalError
from perinatal.home import Home
from pipeline import service, stopping, upgrade, watchdog
from publish.edition import Editions

STEADY = 60.0  # seconds without an end, after which earlier ends of a child are forgotten
MOST_ENDS = 5  # in a row, before giving up
PATIENCE = 10.0  # seconds for the children to end by themselves; a build that is killed leaves nothing half-made
LOOK = 0.5  # seconds between two looks
LOG_LIMIT = 20 << 20  # bytes; then a part's log is put aside as `.1`
CLEAN_EVERY = 7 * 86_400.0  # seconds
CLEAN_FIRST = 300.0  # seconds after the start: by then the parts are up, and nobody waits for them
PARTS = ("scheduler", "dag_processor", "triggerer")


@dataclass
class Child:
    """One part of the service: how it is started, and its state."""

    name: str
    command: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    session: watchdog.Session | None = None
    started: float = 0.0
    ends: int = 0

    def start(self, environment: dict[str, str]) -> None:
        """Start it in a session of its own, with its output in its log."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command,
                env=environment,
                cwd=self.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.session = watchdog.Session.of(self.process.pid)
        self.started = time.monotonic()

    def keep_log_small(self) -> None:
        """Put a long log aside. The part goes on writing into the same file: it appends."""
        if self.log.stat().st_size > LOG_LIMIT:
            shutil.copyfile(self.log, self.log.with_suffix(".log.1"))
            os.truncate(self.log, 0)

    @property
    def has_ended(self) -> bool:
        """Tell whether it has ended."""
        return self.process is None or self.process.poll() is not None


class Watchdog:
    """The process that ends every child's session once the pipe to it closes, for whatever reason."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._sessions: list[watchdog.Session] = []
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline.watchdog"],
            env=self._environment,
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def add(self, session: watchdog.Session) -> None:
        """Have the watchdog end one more session."""
        self._sessions.append(session)
        self._send("+", session)

    def forget(self, session: watchdog.Session) -> None:
        """Leave a session alone that has ended already: its id may become another process's."""
        self._sessions.remove(session)
        self._send("-", session)

    def check(self) -> None:
        """Replace a watchdog that was killed."""
        if self._process.poll() is not None:
            self._process = self._start()
            for session in self._sessions:
                self._send("+", session)

    def _send(self, what: str, session: watchdog.Session) -> None:
        if self._process.stdin is None:
            raise PerinatalError("the watchdog has no pipe")
        self._process.stdin.write(f"{what} {session.leader} {session.started!r}\n".encode())
        self._process.stdin.flush()

    def end(self) -> None:
        """Close the pipe and wait until everything is gone."""
        self._process.communicate()


def run(home: Home, mode: str, port: int, portal_port: int) -> None:
    """Run the service until Ctrl-C or SIGTERM. Raises PerinatalError if it cannot start or a part keeps ending."""
    folder = service.airflow_folder(home)
    with locked(folder / ".up.lock", wait=False) as alone:
        if not alone:
            raise PerinatalError(f"`perinatal up` is running for {home.root} already: stop that one first")
        for wanted, option in ((port, "--port"), (portal_port, "--portal-port")):
            _require_free(wanted, option)
        word, is_new = service.password(home)
        environment = service.environment(home, mode, port, portal_port)
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        upgrade.prepare(home)
        service.make_inbox(home)
        with _asked_to_stop() as stop:
            _prepare(folder, environment)
            _print_addresses(home, mode, port, portal_port, word if is_new else None)
            if not stop.is_set():
                _supervise(home, _children(folder, port, portal_port), environment, stop)


def _require_free(port: int, option: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((service.LOOPBACK, port))
        except OSError as error:
            raise PerinatalError(f"port {port} is not free ({error.strerror}); choose another with {option}") from None


@contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """Turn Ctrl-C, SIGTERM and a closed terminal into an event for the time of the block."""
    stop = threading.Event()

    def ask(_: int, __: FrameType | None) -> None:
        stop.set()

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, ask) for number in signals]
    try:
        yield stop
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def _prepare(folder: Path, environment: dict[str, str]) -> None:
    """Bring Airflow's database and pools up to date; skipped where a start of this version with these pools did it."""
    from importlib.metadata import version

    pools = json.dumps(service.pools(), indent=1)
    done, mark = folder / "prepared", hashlib.sha256(f"{version('apache-airflow')}{pools}".encode()).hexdigest()
    if done.exists() and done.read_text() == mark:
        return
    (folder / "pools.json").write_text(pools)
    say("Preparing Airflow's database …")
    for command in (["db", "migrate"], ["pools", "import", str(folder / "pools.json")]):
        with (folder / "logs" / "prepare.log").open("ab") as out:
            made = subprocess.run(
                [sys.executable, "-m", "airflow", *command],
                env=environment,
                stdout=out,
                stderr=out,
                check=False,
                start_new_session=True,  # Ctrl-C waits for it: a half-migrated database is worse than some seconds
            )
        if made.returncode:
            raise PerinatalError(f"`airflow {' '.join(command)}` failed; see {folder / 'logs' / 'prepare.log'}")
    done.write_text(mark)


class Cleaner:
    """Takes old runs out of Airflow's database, minutes after the start and then once a week, beside the parts."""

    def __init__(self, folder: Path, environment: dict[str, str], guard: Watchdog) -> None:
        self._child = Child("clean", [], folder / "logs" / "clean.log")
        self._environment, self._guard = environment, guard
        self._next = time.monotonic() + CLEAN_FIRST

    def look(self) -> None:
        """Start it where its time has come; say so where it has failed."""
        child = self._child
        if child.session and child.process and child.has_ended:
            self._guard.forget(child.session)
            child.session = None
            if child.process.returncode:
                say(f"old runs could not be taken out of Airflow's database; see {child.log}")
        if child.has_ended and time.monotonic() >= self._next:
            self._next = time.monotonic() + CLEAN_EVERY
            child.command = [sys.executable, "-m", "airflow", *service.clean_command()]
            _start(child, self._environment, self._guard)


def _children(folder: Path, port: int, portal_port: int) -> list[Child]:
    """Return the parts. Their log servers stay off: they would listen on every address of the machine."""
    airflow = [sys.executable, "-m", "airflow"]
    commands = {
        "api-server": [*airflow, "api-server", "--host", service.LOOPBACK, "--port", str(port), "--workers", "1"],
        "scheduler": [sys.executable, "-m", "pipeline.preload", "scheduler", "--skip-serve-logs"],
        "dag-processor": [*airflow, "dag-processor"],
        "triggerer": [*airflow, "triggerer", "--skip-serve-logs"],
        "portal": [sys.executable, "-m", "pipeline.commands.app", "portal", "--port", str(portal_port)],
    }
    return [Child(name, command, folder / "logs" / f"{name}.log") for name, command in commands.items()]


def _print_addresses(home: Home, mode: str, port: int, portal_port: int, word: str | None) -> None:
    say(f"Airflow  http://{service.LOOPBACK}:{port}  user {service.USER}")
    if word:
        say(f"         password {word}  (shown this once; kept in {service.airflow_folder(home) / 'passwords.json'})")
    say(f"Portal   http://{service.LOOPBACK}:{portal_port}")
    say(f"Inbox    {home.inbox}/<source>/")
    say(f"Mode     {mode}\nStarting … Ctrl-C stops everything.")


def _supervise(home: Home, children: list[Child], environment: dict[str, str], stop: threading.Event) -> None:
    guard = Watchdog(environment)
    try:
        for child in children:
            _start(child, environment, guard)
        news = News(home, environment["AIRFLOW__API__BASE_URL"])
        cleaner = Cleaner(service.airflow_folder(home), environment, guard)
        while not stop.wait(LOOK):
            guard.check()
            for child in children:
                if child.has_ended:
                    _restart(child, environment, guard, stop)
                child.keep_log_small()
            news.show()
            cleaner.look()
        say(f"Stopping; this takes {PATIENCE + watchdog.GRACE:.0f} s at most …")
        say("A task that runs now is stopped; it begins again after the next start, and no try is counted.")
        _ask_to_end(children)
    finally:
        guard.end()
    say("Stopped; nothing is left running.")


def _start(child: Child, environment: dict[str, str], guard: Watchdog) -> None:
    child.start(environment)
    if child.session:
        guard.add(child.session)


def _restart(child: Child, environment: dict[str, str], guard: Watchdog, stop: threading.Event) -> None:
    """Start a child again that has ended, later each time; first end the processes that it has left behind.

    Killed, not asked: a task that is asked to end counts as failed, and waits a minute or more for its next try.
    """
    if child.process and child.session:
        watchdog.kill([child.session])
        guard.forget(child.session)
        child.session = None
        how = child.process.returncode
        child.ends = 1 if time.monotonic() - child.started > STEADY else child.ends + 1
        if child.ends > MOST_ENDS:
            raise PerinatalError(f"{child.name} ended {child.ends} times in a row (last with {how}); see {child.log}")
        say(f"{child.name} has ended (with {how}); starting it again")
    if not stop.wait(2.0 ** (child.ends - 1)):
        _start(child, environment, guard)


def _ask_to_end(children: list[Child]) -> None:
    """Ask the children to end, and give them a little time; the watchdog does the rest.

    The scheduler ends first: what its tasks say when they stop has to reach the API server.
    """
    until = time.monotonic() + PATIENCE
    scheduler = [child for child in children if child.name == "scheduler"]
    for group in (scheduler, [child for child in children if child not in scheduler]):
        for child in group:
            if child.process and not child.has_ended:
                child.process.terminate()
        while time.monotonic() < until and not all(child.has_ended for child in group):
            for child in scheduler:
                if child.process and not child.has_ended:
                    stopping.ask(child.process.pid)
            time.sleep(stopping.AGAIN)


class News:
    """Prints what somebody at the terminal wants to know: that all parts are up, and each new edition."""

    def __init__(self, home: Home, address: str) -> None:
        self._home, self._address = home, address
        self._edition = Editions.of(home).current()
        self._ready = False

    def show(self) -> None:
        """Print what has changed since the last call."""
        if not self._ready and self._is_healthy():
            self._ready = True
            say("Ready.")
        now = Editions.of(self._home).current()
        if now and now != self._edition:
            self._edition = now
            say(f"Edition {now.name} is published.")

    def _is_healthy(self) -> bool:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy
        try:
            with opener.open(f"{self._address}/api/v2/monitor/health", timeout=2) as answer:
                found = json.load(answer)
        except (OSError, ValueError):
            return False
        return all((found.get(part) or {}).get("status") == "healthy" for part in PARTS)
