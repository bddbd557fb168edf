"""Running what is measured: each in a process of its own, with its time and the most memory that it held."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import psutil

from perinatal.errors import PerinatalError

EVERY = 0.02  # seconds between two looks at the memory
SELDOM = 0.5  # and at the disk


@dataclass(frozen=True)
class Ran:
    """One run: seconds from start to end, the most memory in MB (with what it started), what it said of itself.

    `processor_seconds` is the time on any processor; unlike `seconds` it hardly grows when other work runs beside.
    """

    seconds: float
    peak_mb: float
    said: dict[str, Any]
    out: str
    log: str
    processor_seconds: float = 0.0


def run(*command: str | Path, env: Mapping[str, str] | None = None, beside: Sequence[int] = ()) -> Ran:
    """Run a command to its end. The last line of its standard output, if it is JSON, is what it said of itself.

    `beside`: processes that work for it without being its descendants; what they take meanwhile counts too.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out, tempfile.TemporaryFile("w+", encoding="utf-8") as err:
        start = monotonic()
        with subprocess.Popen(
            [str(part) for part in command], stdout=out, stderr=err, env={**os.environ, **(env or {})}
        ) as running:
            peak = Peak(running.pid, *beside)
            code = running.wait()
            seconds = monotonic() - start
            peak.stop()
        out.seek(0)
        err.seek(0)
        printed, log = out.read(), err.read()
    if code:
        raise PerinatalError(f"{' '.join(map(str, command))} ended with {code}: {log[-1500:]}")
    return Ran(seconds, peak.megabytes, _said(printed), printed, log, peak.processor_seconds)


def child(module: str, *arguments: str | Path, env: Mapping[str, str] | None = None, beside: Sequence[int] = ()) -> Ran:
    """Run a module of this package (`python -m`) to its end; as `run` does."""
    return run(sys.executable, "-m", module, *arguments, env=env, beside=beside)


@contextmanager
def most_disk(folder: Path) -> Iterator[list[float]]:
    """Note the most MB that the disk of a folder held meanwhile beyond what it held at the start."""
    before, most, over = shutil.disk_usage(folder).used, [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(SELDOM):
            most[0] = max(most[0], (shutil.disk_usage(folder).used - before) / 1e6)

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield most
    finally:
        over.set()
        watching.join()


def _said(text: str) -> dict[str, Any]:
    lines = text.strip().splitlines()
    if not lines or not lines[-1].startswith("{"):
        return {}
    found: dict[str, Any] = json.loads(lines[-1])
    return found


class Peak:
    """What some processes and their descendants take, looked at again and again.

    `megabytes` is the most resident memory that they held together, `processor_seconds` the time on processors since
    the start, of those that have ended too.
    """

    def __init__(self, *pids: int) -> None:
        self.megabytes = 0.0
        self._pids = pids
        self._spent: dict[tuple[int, float], float] = {}
        self._before = 0.0
        self._look()
        self._before = self.processor_seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @property
    def processor_seconds(self) -> float:
        """Return the seconds on processors since the start."""
        return sum(self._spent.values()) - self._before

    def stop(self) -> None:
        """Stop looking."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(EVERY):
            self._look()

    def _look(self) -> None:
        resident = 0
        for process in _families(self._pids):
            try:
                with process.oneshot():
                    resident += process.memory_info().rss
                    times = process.cpu_times()
                    self._spent[process.pid, process.create_time()] = times.user + times.system
            except psutil.NoSuchProcess:
                continue
        self.megabytes = max(self.megabytes, resident / 1e6)


def _families(pids: Sequence[int]) -> Iterator[psutil.Process]:
    """Yield processes and their descendants; those that have ended are left out."""
    for pid in pids:
        try:
            root = psutil.Process(pid)
            yield from [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
