"""Review: people confirm, reject or add themes; what they say wins and is kept with name and date.

The decisions file is a CSV that only grows: finding_id, theme_id, decision (confirm | reject | add), reviewer,
decided_on (YYYY-MM-DD), note. A later line on the same finding and theme replaces the earlier one in effect,
never on disk. The same layout, dropped into the inbox, is read by the same function.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from insights.themes import theme_ids
from perinatal.csv_rows import read_rows
from perinatal.durable import locked, write_atomically
from perinatal.errors import PerinatalError

COLUMNS = ("finding_id", "theme_id", "decision", "reviewer", "decided_on", "note")
KINDS = ("confirm", "reject", "add")


@dataclass(frozen=True)
class Decision:
    """What one person said of one theme of one finding."""

    finding_id: str
    theme_id: str
    decision: str
    reviewer: str
    decided_on: str
    note: str = ""

    @property
    def says_yes(self) -> bool:
        """Tell whether the theme stands."""
        return self.decision != "reject"


class DecisionFile:
    """The decisions of one installation: a CSV that only grows, one writer at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[Decision]:
        """Return every decision that was ever kept, in the order in which they came."""
        return read_decisions(self.path)

    def keep(self, decisions: Sequence[Decision]) -> int:
        """Add the decisions that are not kept yet; returns how many these are."""
        with self._locked():
            known = set(read_decisions(self.path))
            new = [decision for decision in dict.fromkeys(decisions) if decision not in known]
            append(new, self.path)
        return len(new)

    def keep_one(self, decision: Decision) -> None:
        """Add what a person has just said, also where they said it before and something else since."""
        with self._locked():
            append([decision], self.path)

    def _locked(self) -> AbstractContextManager[bool]:
        return locked(self.path.with_name(".decisions.lock"))


def read_decisions(path: Path) -> list[Decision]:
    """Read a decisions file; a file that is not there yet holds none. Raises PerinatalError with the line."""
    if not path.exists():
        return []
    return [checked(row, f"{path}, line {line}") for line, row in read_rows(path, COLUMNS)]


def checked(row: dict[str, str], where: str) -> Decision:
    """Return a decision whose fields are sound. Raises PerinatalError, beginning with `where`."""
    decision = Decision(*(row[name].strip() for name in COLUMNS))
    if decision.decision not in KINDS:
        raise PerinatalError(f"{where}: decision {decision.decision!r}. Use {', '.join(KINDS)}.")
    if decision.theme_id not in theme_ids():
        raise PerinatalError(
            f"{where}: unknown theme {decision.theme_id!r}. Use an id of insights/taxonomy/themes.csv."
        )
    if not decision.finding_id or not decision.reviewer:
        raise PerinatalError(f"{where}: finding_id and reviewer must be filled in; a decision needs a name.")
    try:
        date.fromisoformat(decision.decided_on)
    except ValueError as error:
        raise PerinatalError(
            f"{where}: decided_on {decision.decided_on!r} is not a date. Write it as YYYY-MM-DD."
        ) from error
    return decision


def latest_decisions(decisions: Iterable[Decision]) -> dict[tuple[str, str], Decision]:
    """Find the decision in force for each finding and theme: the later date, on one day the later line."""
    latest: dict[tuple[str, str], Decision] = {}
    for decision in sorted(decisions, key=lambda d: d.decided_on):
        latest[decision.finding_id, decision.theme_id] = decision
    return latest


def append(decisions: Sequence[Decision], path: Path) -> None:
    """Append checked decisions; they are on disk when this returns. A kill or a full disk leaves the file as it was."""
    rows = [[getattr(decision, name) for name in COLUMNS] for decision in decisions]
    for row in rows:
        checked(dict(zip(COLUMNS, row, strict=True)), "decision")
    if not rows:
        return
    before = path.read_bytes() if path.exists() else b""
    added = io.StringIO()
    writer = csv.writer(added, lineterminator="\n")
    if not before:
        writer.writerow(COLUMNS)
    writer.writerows(rows)
    end = b"" if not before or before.endswith(b"\n") else b"\n"
    write_atomically(path, before + end + added.getvalue().encode())
