"""How a command ends: as its step came out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from perinatal.console import say
from perinatal.errors import Damaged

if TYPE_CHECKING:
    from pipeline.outcome import Outcome


def conclude(outcome: Outcome) -> None:
    """End with a line on standard error for each problem, and the exit code of its kind; go on where there is none."""
    _end(outcome.problems, outcome.failure.exit_code)


def conclude_damage(outcomes: Iterable[Outcome]) -> None:
    """End as `conclude` does for what is damaged in the shared store; go on with all other problems."""
    _end([line for one in outcomes for line in one.damage], Damaged.exit_code)


def _end(lines: Iterable[str], code: int) -> None:
    said = dict.fromkeys(lines)  # two steps may name the same
    for line in said:
        say(f"perinatal: {line}", level="error")
    if said:
        raise SystemExit(code)
