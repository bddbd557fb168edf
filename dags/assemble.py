"""Builds the edition: when anything has landed, and every night at two."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import AssetAny, AssetOrTimeSchedule, dag, task

from dags import wiring
from perinatal import home as homes
from pipeline import service, steps


@dag(
    dag_id="assemble",
    dag_display_name="Assemble the edition",
    description="Build → release gate → insights → publish",
    schedule=AssetOrTimeSchedule(
        assets=AssetAny(*wiring.LANDED.values()), timetable=wiring.clock("0 2 * * *", at_first_start=True)
    ),
    doc_md=__doc__,
    **wiring.shared("build", limit=timedelta(hours=4)),
)
def assemble() -> None:
    """One task, because half a build is worth nothing: the candidate is gated and swapped in whole, or not at all.

    It looks at what is landed and not at the event that woke it. Nothing new: *skipped*. Blocked by the release gate:
    fails at once with the reason first, the last good edition stays, an alert is open.
    """

    @task(pool=service.WRITER_POOL, queue=service.BUILD_QUEUE, outlets=[wiring.EDITION])
    @wiring.as_task()
    def build(*, outlet_events: Any) -> None:
        built = steps.build(homes.get())
        wiring.conclude(built)
        outlet_events[wiring.EDITION].extra = built.event()

    build()


assemble()
