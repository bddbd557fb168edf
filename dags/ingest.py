"""One DAG a source, made from its `source.yml`: probe → fetch, which ends with the arrival gate and landing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, dag, task

from dags import wiring
from ingest.registry import Source, all_sources
from perinatal import home as homes
from perinatal import settings
from pipeline import service, steps

MONDAYS = "0 5 * * 1"
OFF = "**Off: in mode `inbox` no publisher is asked.** `perinatal up --live`, or `PERINATAL_MODE=live`, turns it on."

DOC = """
**{title}** ({publisher})

{state}

`probe` asks the publisher, politely, whether something is new. `fetch` downloads it into the archive, asks the arrival
gate, and lands what passes. Nothing new: *skipped*, and no other DAG starts. Publisher away: tried again, later each
time. Refused: the file is in quarantine, an alert is open, and the task fails at once with the reason first in its log.
`problems` fails if some of it was landed and some was not.

Page: <{page}> · expected every {cadence_days} days · licence: {licence}
"""

FETCH = "Download what is new from this publisher, judge it and land what passes."


def make(source: Source) -> DAG:
    """Return the ingest DAG of one source."""
    cron = (source.probe.schedule if source.probe else None) or MONDAYS
    mode = settings.get().mode
    is_off = mode == "inbox"
    # sample publishers run on this machine, so the first start may ask them
    schedule = None if is_off else wiring.clock(cron, at_first_start=mode == "sample")
    what = f"Lands what is new from {source.publisher}"

    @dag(
        dag_id=f"ingest_{source.id}",
        dag_display_name=f"Ingest: {source.title}",
        description=f"Off: nobody is asked in mode inbox. {what} in mode live" if is_off else what,
        schedule=schedule,
        doc_md=DOC.format(**vars(source), state=OFF if is_off else f"On: asked at `{cron}`, British time."),
        **wiring.shared("ingest", source.id, limit=timedelta(minutes=15)),
    )
    def ingest() -> None:
        polite: dict[str, Any] = {"pool": service.host_pool(source), "queue": service.FETCH_QUEUE, "retries": 4}

        @task(doc_md=steps.probe.__doc__, **polite)
        @wiring.as_task()
        def probe() -> None:
            wiring.conclude(steps.probe(homes.get(), settings.get().mode, source.id))

        @task.branch(doc_md=FETCH, execution_timeout=timedelta(hours=5), outlets=[wiring.LANDED[source.id]], **polite)
        @wiring.as_task()
        def fetch(*, outlet_events: Any, ti: Any) -> str | None:
            fetched = steps.fetch(homes.get(), settings.get().mode, [source.id])
            for entry in fetched.events():
                outlet_events[wiring.LANDED[source.id]].extra = entry
            return wiring.conclude_partly(fetched, ti)

        probe() >> fetch() >> wiring.problems()

    return wiring.bounded(ingest())


for each in all_sources().values():
    make(each)
