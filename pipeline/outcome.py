"""What a step came to, for the command line and Airflow alike."""

from __future__ import annotations

from dataclasses import dataclass

from perinatal.errors import PerinatalError


@dataclass(frozen=True)
class Outcome:
    """What a step came to: `message` is one line with the counts, `changed` is False where there was nothing to do.

    `problems` are lines that a person must act on, beside what went well; `failure` is the error to raise for them
    where a step with problems counts as failed.
    """

    changed: bool
    message: str
    problems: tuple[str, ...] = ()
    failure: type[PerinatalError] = PerinatalError
