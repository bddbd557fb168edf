"""One request at a time to a host, with a pause between two: across threads and, with lock files, processes."""

from __future__ import annotations

import fcntl
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ingest.fetch.http.addresses import host_of


@dataclass
class _Turnstile:
    """Lets one request at a time through to a host; the next may follow at `free_at` (monotonic seconds)."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    free_at: float = 0.0


class Turns:
    """Whose turn it is at each host. `delay` is the pause between two requests, in seconds."""

    def __init__(self, delay: float, lock_folder: Path | None) -> None:
        self._delay, self._lock_folder = delay, lock_folder
        self._turnstiles: dict[str, _Turnstile] = {}
        self._guard = threading.Lock()

    @contextmanager
    def at(self, url: str, seconds_left: Callable[[], float]) -> Iterator[None]:
        """Wait for the host of `url` to be free, then hold it. `seconds_left` raises when the time is used up."""
        host = host_of(url)
        with self._guard:
            gate = self._turnstiles.setdefault(host, _Turnstile())
        while not gate.lock.acquire(timeout=seconds_left()):
            pass
        try:
            with _process_lock(self._lock_folder, host, seconds_left):
                time.sleep(max(0.0, gate.free_at - time.monotonic()))
                yield
        finally:
            gate.free_at = time.monotonic() + self._delay
            gate.lock.release()


@contextmanager
def _process_lock(folder: Path | None, host: str, seconds_left: Callable[[], float]) -> Iterator[None]:
    """Hold the host's lock file, so that other processes wait; nothing without a folder."""
    if folder is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{re.sub(r'[^a-z0-9.-]', '_', host.lower())}.lock").open("w") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(min(0.1, seconds_left()))
        yield
