"""Running what is measured: each in a process of its own, with its time and the most memory that it held."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import psutil

from perinatal.errors import PerinatalError

EVERY = 0.02  # seconds between two looks at the memory


@dataclass(frozen=True)
class Ran:
    """One run: seconds from start to end, the most memory in MB (with what it started), what it said of itself."""

    seconds: float
    peak_mb: float
    said: dict[str, Any]
    out: str
    log: str


def run(*command: str | Path, env: Mapping[str, str] | None = None) -> Ran:
    """Run a command to its end. The last line of its standard output, if it is JSON, is what it said of itself."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out, tempfile.TemporaryFile("w+", encoding="utf-8") as err:
        start = monotonic()
        with subprocess.Popen(
            [str(part) for part in command], stdout=out, stderr=err, env={**os.environ, **(env or {})}
        ) as running:
            peak = Peak(running.pid)
            code = running.wait()
            seconds = monotonic() - start
            peak.stop()
        out.seek(0)
        err.seek(0)
        printed, log = out.read(), err.read()
    if code:
        raise PerinatalError(f"{' '.join(map(str, command))} ended with {code}: {log[-1500:]}")
    return Ran(seconds, peak.megabytes, _said(printed), printed, log)


def child(module: str, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Ran:
    """Run a module of this package (`python -m`) to its end."""
    return run(sys.executable, "-m", module, *arguments, env=env)


def _said(text: str) -> dict[str, Any]:
    lines = text.strip().splitlines()
    if not lines or not lines[-1].startswith("{"):
        return {}
    found: dict[str, Any] = json.loads(lines[-1])
    return found


class Peak:
    """The most resident memory that a process and its descendants held together, measured again and again."""

    def __init__(self, pid: int) -> None:
        self.megabytes = 0.0
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(EVERY):
            self.megabytes = max(self.megabytes, _resident(self._pid) / 1e6)


def _resident(pid: int) -> int:
    """Return the bytes that a process and its descendants hold; what ends meanwhile holds nothing."""
    total = 0
    try:
        family = [root := psutil.Process(pid), *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for process in family:
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total
