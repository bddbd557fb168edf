"""Ends every process that `perinatal up` has started, however `perinatal up` itself ends.

Reads one session a line from standard input: `+` or `-` (guard it, forget it), its id, and when its leader started.
When the writer closes it, because it is done or because it was killed, every process of those sessions is ended. Run as
`python -m pipeline.watchdog`; kept in a session of its own, and free of imports that take time.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Collection
from contextlib import suppress
from typing import NamedTuple

import psutil

GRACE = 3.0  # seconds between asking and killing


class Session(NamedTuple):
    """One session: the id of the process that leads it, and when that started (ids are used again)."""

    leader: int
    started: float

    @classmethod
    def of(cls, leader: int) -> Session:
        """Return the session of a child that leads one and was not waited for yet."""
        return cls(leader, psutil.Process(leader).create_time())

    @property
    def is_gone(self) -> bool:
        """Tell whether its id belongs to another process by now."""
        try:
            return abs(psutil.Process(self.leader).create_time() - self.started) > 0.1
        except psutil.NoSuchProcess:
            return False  # the leader has ended; its id is not used again while others of its session live


def members(sessions: Collection[Session]) -> list[int]:
    """Return the processes that belong to the sessions."""
    ours, found = {session.leader for session in sessions if not session.is_gone}, []
    for pid in psutil.pids():
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) in ours:
                found.append(pid)
    return found


def end(sessions: Collection[Session], grace: float = GRACE) -> None:
    """Ask every process of the sessions to end, then kill what is left."""
    _send(members(sessions), signal.SIGTERM)
    until = time.monotonic() + grace
    while time.monotonic() < until:
        if not _living(sessions):
            return
        time.sleep(0.1)
    kill(sessions)


def kill(sessions: Collection[Session]) -> None:
    """Kill every process of the sessions, and those that they start meanwhile."""
    while left := _living(sessions):
        _send(left, signal.SIGKILL)
        time.sleep(0.1)


def _living(sessions: Collection[Session]) -> list[int]:
    """Return the members that can still do something: a zombie only waits for its parent."""
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
    sessions: set[Session] = set()
    for line in sys.stdin:
        what, leader, started = line.split()
        (sessions.add if what == "+" else sessions.discard)(Session(int(leader), float(started)))
    end(sessions)


if __name__ == "__main__":
    main()
