"""Tells people: after each edition what cannot wait, each morning the warnings and whatever was not taken before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import AssetOrTimeSchedule, dag, task

from dags import wiring
from perinatal import home as homes
from pipeline import service, steps


@dag(
    dag_id="notify",
    dag_display_name="Notify",
    description="Sends alerts that have opened or closed to every channel",
    schedule=AssetOrTimeSchedule(assets=[wiring.EDITION], timetable=wiring.clock("0 7 * * *")),
    doc_md=__doc__,
    **wiring.shared("alerts", limit=timedelta(minutes=30)),
)
def notify() -> None:
    """Each channel gets each opening and closing once; one that does not answer is tried again.

    Failures do not wait for this DAG: the callback of the failed task sends at once.
    """

    @task(retries=5, queue=service.FETCH_QUEUE)
    def send(*, triggering_asset_events: Any) -> None:
        wiring.conclude(steps.notify(homes.get(), digest=not triggering_asset_events))

    send()


notify()
