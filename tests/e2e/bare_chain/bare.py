"""The least that Airflow can do: a watched folder wakes a DAG, whose asset wakes another of as many tasks as ours has.

For comparison only: all tasks but those that move the file are empty.
"""

import os
from pathlib import Path

from airflow.sdk import Asset, AssetWatcher, chain, dag, task

from dags.triggers import InboxTrigger
from pipeline import steps

FOLDER = Path(os.environ.get("BARE_CHAIN", "/nonexistent"))
DROPPED = Asset("bare dropped", watchers=[AssetWatcher(name="bare", trigger=InboxTrigger(inbox=str(FOLDER / "in")))])
TAKEN = Asset("bare taken")


@dag(schedule=[DROPPED], max_active_runs=1)
def bare_first():
    @task(outlets=[TAKEN])
    def take():
        for path in (FOLDER / "in").iterdir():
            path.rename(FOLDER / "taken" / path.name)

    take()


@dag(schedule=[TAKEN], max_active_runs=1)
def bare_second():
    @task
    def put():
        for path in (FOLDER / "taken").iterdir():
            path.rename(FOLDER / "out" / path.name)

    @task
    def nothing():
        pass

    chain(*(nothing.override(task_id=f"nothing_{step.__name__}")() for step in steps.ASSEMBLY[1:]), put())


bare_first()
bare_second()
