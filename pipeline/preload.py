"""Run an Airflow command with what tasks need already imported: `python -m pipeline.preload scheduler …`.

The local executor forks its tasks from the scheduler. Importing Great Expectations takes longer than judging a
release with it; so it is imported here once, and every task has it from its first moment. Only imports: no connection,
pool or thread of ours may exist before a fork.

A Celery worker leaves a sign of life at each of its heartbeats, for a health check that imports nothing; and once it is
asked to end, it asks its tasks.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from importlib import import_module
from pathlib import Path

from expectations import native
from pipeline import stopping

NEEDED = (
    "airflow.dag_processing.bundles.manager",
    "airflow.sdk.execution_time.task_runner",
    "pandas",
)
SIGN_OF_LIFE = "worker-alive"  # in the folder for temporary files; docker-compose.yml looks at its time


def _leave_signs_of_life() -> None:
    from celery.signals import heartbeat_sent

    sign = Path(tempfile.gettempdir()) / SIGN_OF_LIFE
    heartbeat_sent.connect(lambda **_: sign.touch(), weak=False)


def _stop_tasks_first() -> None:
    from celery.signals import worker_shutting_down

    def stop(**_: object) -> None:
        threading.Thread(target=stopping.keep_asking, args=(os.getpid(),), daemon=True).start()

    worker_shutting_down.connect(stop, weak=False)


def main() -> None:
    """Import, then let Airflow read the command line."""
    native.library()
    for name in NEEDED:
        import_module(name)
    if "celery" in sys.argv:
        _leave_signs_of_life()
        _stop_tasks_first()
    import_module("airflow.__main__").main()


if __name__ == "__main__":
    main()
