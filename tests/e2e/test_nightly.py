"""A night on which nobody has published anything, in the service itself, with publishers that are really asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ingest import registry
from tests.e2e.service import REPO, crowd, running, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

NIGHT = {f"ingest_{source}" for source in registry.all_sources()} | {"inbox", "assemble"}
TASK_SECONDS = 30
OF_THE_NIGHT = "from task_instance t join dag_run r using (dag_id, run_id) where r.run_type = 'manual'"


def test_a_night_with_nothing_new_skips_everything_and_publishes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "up" / "home"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PERINATAL_")}
    refresh = [sys.executable, "-m", "pipeline.commands.app", "refresh", "--sample"]
    subprocess.run(refresh, cwd=REPO, env=kept | {"PERINATAL_HOME": str(home)}, check=True)
    edition = (home / "current").resolve().name
    with running(tmp_path / "up", "--sample") as service:
        # with sample publishers the first start asks at once, and finds nothing new either
        wait_for("the first runs", lambda: service.runs("assemble") and not service.is_busy(), 120)
        for dag_id in sorted(NIGHT):
            service.trigger(dag_id)
        wait_for("the night's end", lambda: not service.is_busy(), 120)
        states = service.rows(f"select t.dag_id, t.task_id, t.state {OF_THE_NIGHT}")
        ((took, longest),) = service.rows(f"select sum(t.duration), max(t.duration) {OF_THE_NIGHT}")
        said = [
            log.read_text(encoding="utf-8") for log in (home / "airflow" / "logs").glob("dag_id=assemble/*/*/*.log")
        ]
        stands = service.edition()
    print(f"\nnothing new: {len(states)} tasks, {took:.1f} s of task time, the longest {longest:.1f} s")
    assert {dag_id for dag_id, _, _ in states} == NIGHT
    assert [(dag_id, task, state) for dag_id, task, state in states if state != "skipped"] == []
    assert len(said) == 2
    assert all(f"nothing new; the edition stays {edition}" in log for log in said)
    assert stands == edition
    assert took < TASK_SECONDS * crowd()
