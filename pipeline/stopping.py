"""Asks tasks to stop before the service does, while there is still somebody whom they can tell.

Airflow's own executors wait for their tasks when they are asked to end, and are killed when that takes too long: a
failed try. A task that is asked hands itself back (`dags/wiring.py`), and runs again when the service does.
"""

from __future__ import annotations

import re
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil

AGAIN = 0.2  # seconds between two requests


def tasks(executor: int) -> list[psutil.Process]:
    """Return the processes in which tasks run, of a scheduler with the local executor or a Celery worker.

    Both have a child for each task at once, whose own child is the task.
    """
    try:
        workers = psutil.Process(executor).children()
    except psutil.NoSuchProcess:
        return []
    found: list[psutil.Process] = []
    for worker in workers:
        with suppress(psutil.NoSuchProcess):
            found += worker.children()
    return found


def ask(executor: int) -> None:
    """Ask each task of an executor to stop. To be repeated: one that only begins does not hear it yet."""
    for task in tasks(executor):
        with suppress(psutil.NoSuchProcess):
            if _hears(task):
                task.send_signal(signal.SIGTERM)


def keep_asking(executor: int) -> None:
    """Ask until this process ends: a worker may take up one task more while it waits for the others."""
    while True:
        ask(executor)
        time.sleep(AGAIN)


def _hears(task: psutil.Process) -> bool:
    """Tell whether a process would do something of its own at SIGTERM, and not just die; where Linux says so."""
    try:
        status = Path(f"/proc/{task.pid}/status").read_text(encoding="utf-8")
    except OSError:
        return True
    caught = re.search(r"^SigCgt:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return caught is None or bool(int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)
