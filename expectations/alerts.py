"""Alerts: opened, updated and closed by themselves, accepted by people, in an append-only log.

An alert is known by its scope (what was checked) and its rule. Each check of a scope is reconciled with what stands for
it: new breaches open, changed ones are updated, repeated ones are only counted, those that are gone close. A person may
accept one until a date: it comes back after that day, or when it grows. Nothing is ever rewritten, but what an upgrade
takes out of messages because it may not be published.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

from perinatal.durable import locked
from perinatal.errors import PerinatalError
from perinatal.json_lines import append_records, read_records, write_records
from perinatal.printable import redacted
from perinatal.sql import literal

LOG = "alerts.jsonl"
ID_LENGTH = 8
QUARANTINE_REMEDY = "Look at the file in quarantine; correct it or ask the publisher, then land it again."

State = Literal["open", "accepted", "closed"]


@dataclass(frozen=True, order=True)
class Scope:
    """What a check was about: its kind (`arrival`, `inbox`, `fetch`, `release`, …) and what of it.

    The log has it as text: `arrival/mbrrace/perinatal_mortality/2023`, `inbox/mbrrace/deaths.csv`, `release`.
    """

    kind: str
    parts: tuple[str, ...] = ()

    @classmethod
    def of(cls, kind: str, *parts: str) -> Scope:
        """Return the scope of these parts."""
        return cls(kind, parts)

    @classmethod
    def read(cls, text: str) -> Scope:
        """Return the scope that the log has as text."""
        kind, *parts = text.split("/")
        return cls(kind, tuple(parts))

    def __str__(self) -> str:
        return "/".join((self.kind, *self.parts))

    @property
    def source_id(self) -> str | None:
        """Return the source that it is about, where it is about one."""
        return self.parts[0] if self.kind in ("arrival", "inbox", "fetch", "fetch-sample") and self.parts else None

    @property
    def release(self) -> tuple[str, str, str] | None:
        """Return source, dataset and release where it is about one release."""
        return (*self.parts,) if self.kind == "arrival" and len(self.parts) == 3 else None


@dataclass(frozen=True)
class Breach:
    """A standard that is not met: enough for somebody to act on."""

    rule: str
    severity: str
    message: str
    count: int = 1
    sample_rows: list[dict[str, Any]] = field(default_factory=list)
    remedy: str = ""
    affected_marts: list[str] = field(default_factory=list)
    affected_lms: list[str] = field(default_factory=list)
    release_key: str | None = None
    why: str = ""

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Breach:
        """Read one from the log or from a quarantine report, also of an earlier version."""
        known = {item.name for item in fields(cls)}
        given = {name: value for name, value in record.items() if name in known}
        given.setdefault("severity", "block")
        given.setdefault("sample_rows", record.get("rows", []))
        return cls(**given)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return asdict(self)


def from_reason(reason: Mapping[str, Any]) -> Breach:
    """Return the breach of a refused file: one reason of its quarantine report."""
    breach = Breach.read(reason)
    return breach if breach.remedy else replace(breach, remedy=QUARANTINE_REMEDY)


@dataclass(frozen=True)
class Acceptance:
    """A person's decision to live with an alert until a day, as it was then."""

    by: str
    why: str
    until: date
    at: str
    severity: str
    count: int

    def holds(self, breach: Breach, today: date) -> bool:
        """Tell whether it still holds: the day has not passed, and the breach has not grown."""
        is_worse = breach.severity == "block" and self.severity != "block"
        return today <= self.until and breach.count <= self.count and not is_worse


@dataclass(frozen=True)
class Alert:
    """A breach with its history. Times are UTC, ISO 8601.

    `reopened_at` is the moment of an acceptance that holds no longer.
    """

    scope: Scope
    state: State
    opened_at: str
    last_seen_at: str
    closed_at: str | None
    times_seen: int
    breach: Breach
    acceptance: Acceptance | None = None
    reopened_at: str | None = None

    @property
    def key(self) -> str:
        """Return what the log knows it by."""
        return f"{self.scope}#{self.breach.rule}"

    @property
    def alert_id(self) -> str:
        """Return what a person can type."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:ID_LENGTH]

    @property
    def occasion(self) -> str:
        """Return what tells one opening from another: an alert whose acceptance has ended is news again."""
        return f"{self.opened_at}, accepted {self.reopened_at}" if self.reopened_at else self.opened_at

    def to_dict(self) -> dict[str, Any]:
        """Return one flat record."""
        accepted = self.acceptance if self.state == "accepted" else None
        return {
            "alert_id": self.alert_id,
            "scope": str(self.scope),
            "state": self.state,
            "opened_at": self.opened_at,
            "last_seen_at": self.last_seen_at,
            "closed_at": self.closed_at,
            "times_seen": self.times_seen,
            **self.breach.to_dict(),
            "accepted_by": accepted.by if accepted else None,
            "accepted_until": accepted.until.isoformat() if accepted else None,
            "accepted_why": accepted.why if accepted else None,
        }


def look_commands(scope: Scope, rule: str) -> list[str]:
    """Return the commands that show the failing rows of a standard, where the edition holds its verdicts."""
    if scope.kind not in ("arrival", "release", "daily"):
        return []
    sql = f"select release_key, sample_rows from quality.check_result where rule = {literal(rule)} and not success"
    return [f'perinatal query "{sql}" --format json']


def accept_command(alert_id: str) -> str:
    """Return the command that accepts an alert until a day; reason and day are for the person to fill in."""
    return f"perinatal alerts accept {alert_id} --why '…' --until YYYY-MM-DD"


class AlertLog:
    """The alerts of one installation, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def path(self) -> Path:
        """Return the log of events: JSON lines, only ever added to."""
        return self.folder / LOG

    def all(self, today: date | None = None) -> list[Alert]:
        """Return every alert with its state today, newest first."""
        return _stand_after(read_records(self.path), today)

    def open(self) -> list[Alert]:
        """Return the alerts that stand open and that nobody has accepted."""
        return [alert for alert in self.all() if alert.state == "open"]

    def find(self, alert_id: str) -> Alert:
        """Return the alert that begins with these characters. Raises PerinatalError unless there is exactly one."""
        found = [alert for alert in self.all() if alert_id and alert_id in (alert.key, alert.alert_id[: len(alert_id)])]
        if len(found) != 1:
            raise PerinatalError(
                f"{len(found)} alerts have an id that begins with {alert_id!r}; `perinatal alerts --all` shows every id"
            )
        return found[0]

    def reconcile(self, scope: Scope, breaches: Sequence[Breach], at: str | None = None) -> None:
        """Bring the log to what was found for one scope: just now, or `at` an earlier moment.

        What was found at an earlier moment and is in the log already is not counted again.
        """
        with locked(self.folder / ".lock"):
            append_records(self.path, self._events(scope, breaches, at))

    def foresee(self, found: Mapping[Scope, Sequence[Breach]], at: str) -> list[Alert]:
        """Return every alert as it would stand if these scopes were reconciled; nothing is written."""
        events = [event for scope, breaches in found.items() for event in self._events(scope, breaches, at)]
        return _stand_after([*read_records(self.path), *events])

    def _events(self, scope: Scope, breaches: Sequence[Breach], at: str | None) -> list[dict[str, Any]]:
        """Return the events that bring one scope to what was found."""
        standing = {
            alert.breach.rule: alert for alert in self.all() if alert.scope == scope and alert.state != "closed"
        }
        event = {"at": at or moment(), "scope": str(scope)}
        events: list[dict[str, Any]] = []
        for breach in (replace(breach, message=redacted(breach.message)) for breach in breaches):
            before = standing.get(breach.rule)
            what = _event(before.breach if before else None, breach)
            if not (before and what == "seen" and at and before.last_seen_at >= at):
                events.append({"event": what, **event, "rule": breach.rule, "breach": breach.to_dict()})
        gone = sorted(standing.keys() - {breach.rule for breach in breaches})
        return events + [{"event": "closed", **event, "rule": rule} for rule in gone]

    def accept(self, alert: Alert, by: str, why: str, until: date) -> None:
        """Accept a standing alert until a day. Raises PerinatalError where it is closed or the day has passed."""
        if alert.state == "closed":
            raise PerinatalError(f"alert {alert.alert_id} is closed: there is nothing to accept")
        if until < datetime.now(UTC).date():
            raise PerinatalError(f"until {until.isoformat()}: expected a day that has not passed")
        event = {
            "event": "accepted",
            "at": moment(),
            "scope": str(alert.scope),
            "rule": alert.breach.rule,
            "by": by,
            "why": why,
            "until": until.isoformat(),
            "severity": alert.breach.severity,
            "count": alert.breach.count,
        }
        with locked(self.folder / ".lock"):
            append_records(self.path, [event])

    def amend(self, change: Callable[[Scope, Breach], Breach]) -> int:
        """Rewrite what was said of breaches, in all events at once; returns how many differ. For an upgrade only."""
        with locked(self.folder / ".lock"):
            events = list(read_records(self.path))
            amended = [_amended(event, change) for event in events]
            count = sum(before != after for before, after in zip(events, amended, strict=True))
            if count:
                write_records(self.path, amended)
        return count


def _amended(event: dict[str, Any], change: Callable[[Scope, Breach], Breach]) -> dict[str, Any]:
    if "breach" not in event:
        return event
    before = Breach.read(event["breach"])
    after = change(Scope.read(event["scope"]), before)
    return event if after == before else {**event, "breach": after.to_dict()}


def moment() -> str:
    """Return this moment as the log writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _stand_after(events: Iterable[Mapping[str, Any]], today: date | None = None) -> list[Alert]:
    """Return every alert as it stands today after these events, newest first."""
    found: dict[str, Alert] = {}
    for event in events:
        key = f"{event['scope']}#{event['rule']}"
        after = _after(found.get(key), event)
        if after:
            found[key] = after
    day = today or datetime.now(UTC).date()
    alerts = [_as_of(alert, day) for alert in found.values()]
    return sorted(alerts, key=lambda alert: (alert.last_seen_at, alert.key), reverse=True)


def _after(last: Alert | None, event: Mapping[str, Any]) -> Alert | None:
    """Return an alert after one event of the log."""
    if event["event"] == "closed":
        return replace(last, state="closed", closed_at=event["at"], acceptance=None) if last else None
    if event["event"] == "accepted":
        about = {name: event[name] for name in ("by", "why", "at", "severity", "count")}
        return replace(last, acceptance=Acceptance(**about, until=date.fromisoformat(event["until"]))) if last else None
    again = last if last and last.state != "closed" else None
    return Alert(
        scope=Scope.read(event["scope"]),
        state="open",
        opened_at=again.opened_at if again else event["at"],
        last_seen_at=event["at"],
        closed_at=None,
        times_seen=again.times_seen + 1 if again else 1,
        breach=Breach.read(event["breach"]),
        acceptance=again.acceptance if again else None,
    )


def _as_of(alert: Alert, today: date) -> Alert:
    """Return an alert as it stands today: accepted, or come back."""
    if alert.acceptance is None or alert.state == "closed":
        return alert
    if alert.acceptance.holds(alert.breach, today):
        return replace(alert, state="accepted")
    return replace(alert, reopened_at=alert.acceptance.at)


def _event(before: Breach | None, now: Breach) -> str:
    """Name what has happened to a breach since it was last looked at."""
    if before is None:
        return "opened"
    same = (before.severity, before.count, before.message) == (now.severity, now.count, now.message)
    return "seen" if same else "updated"
