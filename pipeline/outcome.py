"""What a step came to, for the command line and Airflow alike."""

from __future__ import annotations

from dataclasses import dataclass

from perinatal.errors import PerinatalError


@dataclass(frozen=True)
class Outcome:
    """What a step came to: `message` is one line with the counts, `changed` is False where there was nothing to do.

    `problems` are lines that a person must act on, beside what went well; `failure` is the error to raise for them
    where a step with problems counts as failed. `alerted` has the scopes of the alerts that are open for all of them.
    `damage` are those of them that are about the shared store: what is sound was landed or built all the same.
    """

    changed: bool
    message: str
    problems: tuple[str, ...] = ()
    failure: type[PerinatalError] = PerinatalError
    alerted: tuple[str, ...] = ()
    damage: tuple[str, ...] = ()

    def error(self) -> PerinatalError:
        """Return the error that says the problems; of damage in the shared store the first lines."""
        return self.failure("; ".join([self.message, *self.damage[:3]]), self.alerted)
