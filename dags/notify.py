"""
**Sends alerts to people**: after each edition what cannot wait, each morning at seven the warnings too.

`send` gives each channel of `PERINATAL_ALERT_URLS` each opening and closing once; what one did not take is sent again
by the next run. An LMS's own channels (`PERINATAL_LMS_ALERT_URLS`) get what concerns its trusts. Failed tasks do not
wait for this DAG: their callback sends at once.
"""

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
    """One task: where an edition has woken it, only what cannot wait is sent."""

    @task(doc_md=steps.notify.__doc__, retries=5, queue=service.FETCH_QUEUE)
    @wiring.as_task()
    def send(*, triggering_asset_events: Any) -> None:
        wiring.conclude(steps.notify(homes.get(), digest=not triggering_asset_events))

    send()


wiring.bounded(notify())
