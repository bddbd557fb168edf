"""A build gives way to whoever asks the edition meanwhile."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SAYS = "import os; print('priority', os.getpriority(os.PRIO_PROCESS, 0))"
ENDING = f"import atexit; atexit.register(lambda: exec({SAYS!r}))"


def said(code: str, home: Path) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PERINATAL_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    return [line for line in ran.stdout.splitlines() if line.startswith("priority")]


def test_a_process_gives_way_with_those_that_it_starts(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys; from perinatal.priority import give_way; give_way(); "
        f"{SAYS}; sys.stdout.flush(); subprocess.run([sys.executable, '-c', {SAYS!r}])"
    )
    assert said(code, tmp_path) == ["priority 19", "priority 19"]


@pytest.mark.parametrize(("command", "priority"), [("build", 19), ("status", 0)])
def test_the_command_that_builds_gives_way_and_others_do_not(command: str, priority: int, tmp_path: Path) -> None:
    code = f"{ENDING}; from pipeline.commands.app import app; app([{command!r}])"
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert said(code, tmp_path / "home") == [f"priority {max(priority, before)}"]
