"""Lands each file of a folder in a task of its own: what the workers make of many files at once. For measuring only."""

import os
from pathlib import Path

from airflow.sdk import dag, task

from ingest.stores import Stores

FOLDER = Path(os.environ.get("MANY_FILES", "/nonexistent"))
NAMES = sorted(path.name for path in FOLDER.glob("*.csv"))


@dag(schedule=None)
def many():
    @task(queue="fetch")
    def land(name):
        from ingest import registry
        from ingest.land import landing
        from perinatal import home

        landing.land(Stores.of(home.get()), FOLDER / name, landing.Arrival(registry.source("fingertips"), name))

    land.expand(name=NAMES)


many()
