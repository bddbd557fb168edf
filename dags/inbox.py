"""Lands what people drop into the inbox, as soon as a file has stopped growing, and looks again each night."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import AssetOrTimeSchedule, dag, task
from airflow.sdk.exceptions import AirflowFailException

from dags import wiring
from perinatal import service, steps


@dag(
    dag_id="inbox",
    dag_display_name="Inbox",
    description="Lands the files that people drop into inbox/<source>/",
    schedule=AssetOrTimeSchedule(assets=[wiring.INBOX], timetable=wiring.clock("40 1 * * *")),
    doc_md=__doc__,
    **wiring.shared("ingest", limit=timedelta(hours=4)),
)
def inbox() -> None:
    """`land` takes whatever lies there; `refused` fails, with the reasons, if the arrival gate refused any of it."""

    @task.branch(queue=service.FETCH_QUEUE, outlets=[wiring.LANDED_BY_HAND])
    def land(*, outlet_events: Any, ti: Any) -> str | None:
        told = steps.land_inbox()
        wiring.tell(told)
        for entry in told.landed:
            outlet_events[wiring.LANDED_BY_HAND].add(wiring.LANDED[entry["source"]], extra=entry)
        ti.xcom_push("refused", told.refused)
        return "refused" if told.refused else None

    @task(retries=0, queue=service.FETCH_QUEUE)
    def refused(*, ti: Any) -> None:
        reasons = ti.xcom_pull(task_ids="land", key="refused")
        raise AirflowFailException("; ".join(reasons))

    land() >> refused()


inbox()
