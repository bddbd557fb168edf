"""What the DAG files share: assets, clocks, limits, and what happens when a task fails."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any

from airflow.sdk import DAG, Asset, AssetAlias, AssetWatcher, CronTriggerTimetable, get_current_context, task
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSkipException,
    AirflowTaskTimeout,
)

from dags.triggers import InboxTrigger
from ingest.registry import all_sources
from perinatal import home as homes
from perinatal import settings
from perinatal.console import about, detailed, say
from perinatal.errors import BlockedByGate, Damaged, RefusedAtArrival
from pipeline import lineage, service
from pipeline.outcome import Outcome

log = logging.getLogger(__name__)

TIMEZONE = "Europe/London"
OWNER, TAG = "perinatal", "perinatal"
LONGEST_PAUSE = timedelta(minutes=30)  # before a task is tried again
# what a run may wait for workers, pools and the builder's lock, beside the limits of its own tasks: the longest that
# others hold them is a fetch, five hours
WAITING = timedelta(hours=6)

LANDED = {
    source_id: Asset(name=f"Landed: {source_id}", uri=f"perinatal://landed/{source_id}", group="perinatal")
    for source_id in all_sources()
}
# the inbox does not know before it looks whose files lie there
LANDED_BY_HAND = AssetAlias(name="Landed by hand", group="perinatal")
EDITION = Asset(name="Edition", uri="perinatal://edition/current", group="perinatal")
INBOX = Asset(
    name="Inbox",
    uri="perinatal://inbox/files",
    group="perinatal",
    watchers=[AssetWatcher(name="inbox", trigger=InboxTrigger(inbox=str(homes.named().inbox)))],
)


def clock(cron: str, *, at_first_start: bool = False) -> CronTriggerTimetable:
    """Return a schedule in British time; `at_first_start` for work that asks no publisher."""
    return CronTriggerTimetable(cron, timezone=TIMEZONE, run_immediately=at_first_start or service.SLOT_GRACE)


def shared(*tags: str, limit: timedelta) -> dict[str, Any]:
    """Return what every DAG has: one run at a time, a limit for each task, retries that back off, and callbacks."""
    return {
        "catchup": False,
        "max_active_runs": 1,
        "on_failure_callback": run_failed,
        "on_success_callback": run_succeeded,
        "tags": [TAG, *tags],
        "default_args": {
            "owner": OWNER,
            "retries": 2,
            "retry_delay": timedelta(minutes=1),
            "retry_exponential_backoff": True,
            "max_retry_delay": LONGEST_PAUSE,
            "execution_timeout": limit,
            "on_failure_callback": failed,
            "on_success_callback": succeeded,
            "on_skipped_callback": succeeded,
        },
    }


def bounded(dag: DAG) -> DAG:
    """Give the runs of a DAG a limit that comes after those of its tasks.

    At a run's limit Airflow shows what has not finished as skipped, and calls back for the run alone. So the limit
    leaves room for every try of every task on the longest path, the pauses between them, and waiting.
    """
    dag.dagrun_timeout = WAITING + max(map(_longest, dag.roots))
    return dag


def _longest(task: Any) -> timedelta:
    """Return how long a task and the longest path behind it may take."""
    own = (task.retries + 1) * task.execution_timeout + task.retries * LONGEST_PAUSE
    return own + max(map(_longest, task.downstream_list), default=timedelta(0))


# seconds that what cleans up has; asked again after that, the task was not stopped: a library swallowed it
UNHEARD = 2.0


class Stopped(BaseException):
    """The service stops. No `Exception`, so that no step takes it for a failure of its own."""


@contextmanager
def _stoppable() -> Iterator[None]:
    """Hand the task back when the service stops (SIGTERM): it runs again with the next start, and no try is counted.

    A task that Airflow itself ends is asked by SIGTERM too; there the API server keeps the state that it has.
    """
    asked: list[float] = []

    def stop(_: int, __: FrameType | None) -> None:
        now = time.monotonic()
        if not asked or now - asked[-1] > UNHEARD:
            asked.append(now)
            raise Stopped

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except BaseException as error:  # DuckDB and others answer with an error of their own
        if not asked:
            raise
        log.warning("Asked to stop. If the service stops: this task runs again with the next start, no try is counted.")
        raise AirflowRescheduleException(datetime.now(UTC)) from error
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN if asked else before)


class Refused(AirflowFailException):
    """A failure that trying again does not change; `alerted` has the scopes of the alerts that were opened for it."""

    def __init__(self, reason: str, alerted: Sequence[str] = ()) -> None:
        super().__init__(reason)
        self.alerted = tuple(alerted)


@contextmanager
def as_task() -> Iterator[None]:
    """Show progress as information (on standard error Airflow takes it for errors), and refusals as final.

    Where data or an answer failed a standard the task fails at once, the reason first: trying again changes nothing.
    """
    from ingest.fetch.http import BadResponse

    try:
        with _stoppable(), redirect_stderr(sys.stdout), detailed(), about(**(run := _run())):
            if run:
                say(f"{run['task']} begins")
            yield
    except (BlockedByGate, RefusedAtArrival, Damaged, BadResponse) as refusal:
        log.error("%s", refusal)  # noqa: TRY400 - the reason, not a traceback
        raise Refused(str(refusal), refusal.alerted) from None


def _run() -> dict[str, str]:
    """Return what each line of a task's log is about; and name the task to dbt's lineage, where lineage is sent."""
    try:
        ti = get_current_context()["ti"]
    except RuntimeError:  # called outside a task
        return {}
    if settings.get().lineage_url:
        from airflow.providers.openlineage.plugins.macros import lineage_parent_id

        os.environ[lineage.PARENT] = lineage_parent_id(ti)
    return {"dag": ti.dag_id, "task": ti.task_id, "run": ti.run_id}


def conclude(outcome: Outcome) -> None:
    """Log what a step came to. One without anything to do is shown as skipped; one with problems fails."""
    if outcome.problems:
        raise outcome.error()
    if not outcome.changed:
        raise AirflowSkipException(outcome.message)
    log.info("%s", outcome.message)


def conclude_partly(outcome: Outcome, ti: Any) -> str | None:
    """Conclude a step that may have succeeded in part; returns the task `problems` where another part failed.

    The task itself must then succeed, or Airflow would not send its asset events.
    """
    if not outcome.changed:
        conclude(outcome)
    log.info("%s", outcome.message)
    ti.xcom_push("problems", list(outcome.problems))
    ti.xcom_push("alerted", list(outcome.alerted))
    return "problems" if outcome.problems else None


def conclude_build(outcome: Outcome) -> None:
    """Conclude a step of the assembly: what is sound goes on; damage in the shared store is said and has its alert."""
    if not outcome.changed:
        conclude(outcome)
    for line in outcome.damage:
        log.warning("%s", line)
    log.info("%s", outcome.message)


@task(retries=0, queue=service.FETCH_QUEUE)
def problems(*, ti: Any) -> None:
    """Fail with the problems of a step that otherwise succeeded."""
    before = next(iter(ti.task.upstream_task_ids))
    lines, alerted = (ti.xcom_pull(task_ids=before, key=key) for key in ("problems", "alerted"))
    raise Refused("; ".join(lines), alerted or ())


def failed(context: Mapping[str, Any]) -> None:
    """Open an alert for a task that failed for good, unless its reason has one; send the open alerts."""
    from pipeline import upkeep

    error = context.get("exception")
    reason = " ".join(str(error or "no reason was given; its process may have been killed").split())
    if isinstance(error, AirflowTaskTimeout):
        reason = f"it reached its time limit of {_hours(context['task_instance'].task.execution_timeout)}"
    alerted = error.alerted if isinstance(error, Refused) else ()
    upkeep.task_failed(homes.get(), _scope(context), reason, alerted=alerted)


def succeeded(context: Mapping[str, Any]) -> None:
    """Close the alert of a task that ran, or had nothing to do."""
    from pipeline import upkeep

    upkeep.task_succeeded(homes.get(), _scope(context))


def run_failed(context: Mapping[str, Any]) -> None:
    """Open an alert for a run that ended before its tasks did; a task that failed has called back itself."""
    from pipeline import upkeep

    dag, reason = context["dag"], context["reason"]
    if reason == "task_failure":
        return
    said = f"it reached its time limit of {_hours(dag.dagrun_timeout)}" if reason == "timed_out" else reason
    upkeep.run_ended(homes.get(), _scope_of_run(dag), f"run {context['run_id']} was ended: {said}")


def run_succeeded(context: Mapping[str, Any]) -> None:
    """Close the alert of a run that had ended before its tasks did."""
    from pipeline import upkeep

    upkeep.task_succeeded(homes.get(), _scope_of_run(context["dag"]))


def _hours(limit: timedelta) -> str:
    return f"{limit / timedelta(hours=1):g} hour(s)"


def _scope_of_run(dag: DAG) -> str:
    return f"operations/{dag.dag_id}/run"


def _scope(context: Mapping[str, Any]) -> str:
    task = context["task_instance"]
    return f"operations/{task.dag_id}/{task.task_id}"
