"""How a command ends: as its step came out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perinatal.console import say

if TYPE_CHECKING:
    from pipeline.outcome import Outcome


def conclude(outcome: Outcome) -> None:
    """End with a line on standard error for each problem, and the exit code of its kind; go on where there is none."""
    for line in outcome.problems:
        say(f"perinatal: {line}", level="error")
    if outcome.problems:
        raise SystemExit(outcome.failure.exit_code)
