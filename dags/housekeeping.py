"""
**Looks after the installation**, on Sundays at half past three.

`prune` removes editions beyond those that `PERINATAL_KEEP_EDITIONS` keeps, never the published one, and logs of tasks
that are older than `PERINATAL_KEEP_LOG_DAYS`. (Old runs leave Airflow's database once a week, by
`perinatal up` itself: a task may not touch that database.) `verify` hashes the archive again and compares it with the
manifests: damage fails it at once and opens an alert that says which files to restore from a backup.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import dag, task

from dags import wiring
from perinatal import home as homes
from pipeline import service, steps


@dag(
    dag_id="housekeeping",
    dag_display_name="Housekeeping",
    description="Prunes editions, verifies the archive",
    schedule=wiring.clock("30 3 * * 0"),
    doc_md=__doc__,
    **wiring.shared("care", limit=timedelta(hours=12)),
)
def housekeeping() -> None:
    """Two tasks that do not wait for each other."""
    building: dict[str, Any] = {"pool": service.WRITER_POOL, "queue": service.BUILD_QUEUE}

    @task(doc_md=steps.prune.__doc__, execution_timeout=timedelta(hours=1), **building)
    @wiring.as_task()
    def prune() -> None:
        wiring.conclude(steps.prune(homes.get()))

    @task(doc_md=steps.verify.__doc__, queue=service.BUILD_QUEUE)
    @wiring.as_task()
    def verify() -> None:
        wiring.conclude(steps.verify(homes.get()))

    prune()
    verify()


wiring.bounded(housekeeping())
