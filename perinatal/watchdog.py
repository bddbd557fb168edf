"""Sees to it that no process outlives `perinatal up`, however that ends.

Reads one session id a line from standard input. When the writer closes it, because it is done or because it was
killed, every process of those sessions is ended. Run as `python -m perinatal.watchdog`; kept in a session of its own,
and free of imports that take time.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress

import psutil

GRACE = 3.0  # seconds between asking and killing


def members(sessions: set[int]) -> list[int]:
    """Return the processes that belong to the sessions."""
    found = []
    for pid in psutil.pids():
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) in sessions:
                found.append(pid)
    return found


def end(sessions: set[int], grace: float = GRACE) -> None:
    """Ask every process of the sessions to end, then kill what is left."""
    _send(members(sessions), signal.SIGTERM)
    until = time.monotonic() + grace
    while time.monotonic() < until:
        if not _living(sessions):
            return
        time.sleep(0.1)
    while left := _living(sessions):
        _send(left, signal.SIGKILL)
        time.sleep(0.1)


def _living(sessions: set[int]) -> list[int]:
    """Return the members that can still do something: a zombie only waits to be read."""
    living = []
    for pid in members(sessions):
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                living.append(pid)
    return living


def _send(pids: list[int], what: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, what)


def main() -> None:
    """Wait for the writer's end, then end what it has started."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    sessions = {int(line) for line in sys.stdin}
    end(sessions)


if __name__ == "__main__":
    main()
