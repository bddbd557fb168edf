"""Weekly: removes editions beyond those to be kept, and re-hashes the archive against its manifests."""

from __future__ import annotations

from datetime import timedelta

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
    """Damage in the archive fails `verify` at once and opens an alert; the published edition is never pruned."""

    @task(pool=service.WRITER_POOL, queue=service.BUILD_QUEUE)
    def prune() -> None:
        wiring.conclude(steps.prune(homes.get()))

    @task(queue=service.BUILD_QUEUE)
    @wiring.as_task()
    def verify() -> None:
        wiring.conclude(steps.verify(homes.get()))

    prune()
    verify()


housekeeping()
