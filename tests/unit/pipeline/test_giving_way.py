"""A build gives way to whoever asks the edition meanwhile. Cases run in their own processes: it cannot be undone."""

import os
import subprocess
import sys
from pathlib import Path

SAYS = "import os; print('priority', os.getpriority(os.PRIO_PROCESS, 0))"
BUILD = """
from types import SimpleNamespace
from perinatal import home
from pipeline import assembly
step = SimpleNamespace(title="Models", run=lambda home, found: (found, None))
assembly.STEPS = {assembly.LAST: step}
begun = SimpleNamespace(done=(), folder=home.get().build, edition_id="edition")
nothing_new = assembly.Built(False, "nothing new")
assembly._run(home.get(), %s, assembly.LAST)
"""


def said(code: str, home: Path) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PERINATAL_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in ran.stdout.splitlines() if line.startswith("priority")]


def test_a_process_gives_way_with_those_that_it_starts(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys; from perinatal.priority import give_way; give_way(); "
        f"{SAYS}; sys.stdout.flush(); subprocess.run([sys.executable, '-c', {SAYS!r}])"
    )
    assert said(code, tmp_path) == ["priority 19", "priority 19"]


def test_a_build_gives_way_once_there_is_something_to_build(tmp_path: Path) -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert said(BUILD % "nothing_new" + SAYS, tmp_path) == [f"priority {before}"]
    assert said(BUILD % "begun" + SAYS, tmp_path) == ["priority 19"]
