"""Brings the state folder of an earlier version to this one, with a note of what was done."""

from __future__ import annotations

from collections.abc import Callable

from expectations.alerts import AlertLog, Scope
from ingest.land import originals, refusal
from ingest.stores import Stores
from perinatal import state_version
from perinatal.console import say
from perinatal.durable import close_to_others, locked
from perinatal.home import Home

STATE = ("landed", "editions", "archive", "alerts")


def prepare(home: Home) -> list[str]:
    """Make the state folder one of this version, before a step writes to it; returns a note for each change.

    A fresh folder gets its version. Raises PerinatalError where the state is of a newer program.
    """
    if state_version.read(home.root) == state_version.VERSION:
        return []
    state_version.require_known(home.root)
    with locked(home.root / ".upgrade.lock"):
        found = state_version.read(home.root)
        notes = []
        if any((home.root / name).exists() for name in STATE):
            for number, change in enumerate(CHANGES[found:], start=found + 1):
                notes.append(f"state folder brought to version {number}: {change(home)}")
                state_version.write(home.root, number)
        state_version.write(home.root)
    for note in notes:
        say(note)
    return notes


def _six_tasks(home: Home) -> str:
    """To version 1: the assembly's one task became six, so the alert of the old one would never close."""
    log, old = AlertLog(home.alerts), Scope.of("operations", "assemble", "build")
    standing = [alert for alert in log.all() if alert.scope == old and alert.state != "closed"]
    log.reconcile(old, [])
    closed = "its open alert is closed; " if standing else ""
    return f"Airflow's task assemble/build is now six tasks; {closed}landed releases, decisions and editions stay"


def _for_the_owner_alone(home: Home) -> str:
    """To version 2: all users could read files that may name persons, and alerts of refused ones quoted their cells."""
    stores = Stores.of(home)
    close_to_others(home.quarantine)
    closed = originals.close_others(stores.archive, stores.landed)
    amended = stores.alerts.amend(refusal.told_again)
    quoted = (
        f"; {amended:,} entries of the alert log no longer quote cells of board returns or prose. Editions made before "
        "may quote them: build the next one, and remove the earlier ones"
    )
    closed_too = f"quarantine is for its owner alone, and so are {closed:,} archived files that were open to all"
    return closed_too + (quoted if amended else "")


CHANGES: tuple[Callable[[Home], str], ...] = (_six_tasks, _for_the_owner_alone)
