"""
**Builds the edition that people read**, whenever anything has landed, and every night at two.

| Task | Does | Red means |
|---|---|---|
| `models` | begins a candidate of all landed releases; one `dbt build` | dbt's first failures stand in its log |
| `themes` | codes findings to themes, counts what changed | the coder failed |
| `gate` | holds the candidate against every standard | **blocked**: its log names the standard and what to do |
| `downloads` | marts as files, a pack for each LMS | a file could not be written |
| `pages` | the portal | a page could not be made |
| `publish` | swaps the edition in, whole | the swap failed |

All six work on one candidate folder below `build/`, under one lock: **the edition that people read changes only with
`publish`**, and the last good one stays if any task fails. A retry, or *Clear task*, repeats the failed task only. If
the candidate is lost meanwhile (`perinatal build` ran on the command line, the program was updated, a release was
withdrawn after the gate had blocked), the task says so and begins anew.

All tasks *skipped*: nothing is new. In a red run, *skipped* tasks had not finished when the run reached its time
limit: an alert is open. A red `gate` stays red until what is landed, or a standard, has changed:
`perinatal alerts` says what to do. `perinatal build --sign NAME` signs an edition that is held for a person.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from airflow.sdk import AssetAny, AssetOrTimeSchedule, chain, dag, task

from dags import wiring
from perinatal import home as homes
from pipeline import service, steps

# of each task: ten times what the longest step of the largest build took that was measured (docs/scale.md)
LIMIT = timedelta(hours=2)


@dag(
    dag_id="assemble",
    dag_display_name="Assemble the edition",
    description="Models → themes → release gate → downloads → pages → publish",
    schedule=AssetOrTimeSchedule(
        assets=AssetAny(*wiring.LANDED.values()), timetable=wiring.clock("0 2 * * *", at_first_start=True)
    ),
    doc_md=__doc__,
    **wiring.shared("build", limit=LIMIT),
)
def assemble() -> None:
    """One task a step, over one candidate."""
    building: dict[str, Any] = {"pool": service.WRITER_POOL, "queue": service.BUILD_QUEUE}

    def visible(step: Callable[..., Any]) -> Any:
        """Return a step of the assembly as a task of its name."""

        @task(task_id=step.__name__, doc_md=step.__doc__, **building)
        @wiring.as_task()
        def run() -> None:
            wiring.conclude_build(step(homes.get()))

        return run()

    @task(doc_md=steps.publish.__doc__, outlets=[wiring.EDITION], **building)
    @wiring.as_task()
    def publish(*, outlet_events: Any) -> None:
        published = steps.publish(homes.get())
        wiring.conclude_build(published)
        outlet_events[wiring.EDITION].extra = published.event()

    before = (steps.models, steps.themes, steps.gate, steps.downloads, steps.pages)
    chain(*map(visible, before), publish())


wiring.bounded(assemble())
