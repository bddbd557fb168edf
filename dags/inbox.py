"""
**Lands what people drop into `inbox/<source>/`**, as soon as a file has stopped growing; it looks again each night.

`land` takes whatever lies there: each file is archived, recognised, held against the standards of arrival, and landed,
which wakes the assembly. A refused file is in quarantine with its reason, and an alert is open. `problems` fails, with
the reasons, where some of it was landed and some refused; where all was refused, `land` fails itself.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import AssetOrTimeSchedule, dag, task

from dags import wiring
from perinatal import home as homes
from pipeline import service, steps


@dag(
    dag_id="inbox",
    dag_display_name="Inbox",
    description="Lands the files that people drop into inbox/<source>/",
    schedule=AssetOrTimeSchedule(assets=[wiring.INBOX], timetable=wiring.clock("40 1 * * *")),
    doc_md=__doc__,
    **wiring.shared("ingest", limit=timedelta(hours=2)),
)
def inbox() -> None:
    """`problems` stands apart because only a task that succeeds sends its asset events."""

    @task.branch(doc_md=steps.land_inbox.__doc__, queue=service.FETCH_QUEUE, outlets=[wiring.LANDED_BY_HAND])
    @wiring.as_task()
    def land(*, outlet_events: Any, ti: Any) -> str | None:
        landed = steps.land_inbox(homes.get())
        for entry in landed.events():
            outlet_events[wiring.LANDED_BY_HAND].add(wiring.LANDED[entry["source"]], extra=entry)
        return wiring.conclude_partly(landed, ti)

    land() >> wiring.problems()


wiring.bounded(inbox())
