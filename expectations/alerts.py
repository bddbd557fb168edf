"""Alerts: opened, updated and closed by themselves, in an append-only log.

A breach is known by its scope (what was checked, e.g. `arrival/mbrrace/perinatal_mortality/2023`) and its rule. Each
check of a scope is reconciled with what stands open for it: new breaches open, changed ones are updated, repeated ones
are only counted, those that are gone close. Nothing is ever rewritten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from perinatal.durable import locked
from perinatal.json_lines import append_records, read_records

LOG = "alerts.jsonl"


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


@dataclass(frozen=True)
class Alert:
    """A breach with its history. `state` is `open` or `closed`; times are UTC, ISO 8601."""

    alert_id: str
    scope: str
    state: Literal["open", "closed"]
    opened_at: str
    last_seen_at: str
    closed_at: str | None
    times_seen: int
    breach: Breach

    def to_dict(self) -> dict[str, Any]:
        """Return one flat record."""
        record = asdict(self)
        return {**{key: value for key, value in record.items() if key != "breach"}, **record["breach"]}


def from_reason(reason: dict[str, Any]) -> Breach:
    """Return the breach of a refused file."""
    return Breach(
        rule=reason["rule"],
        severity="block",
        message=reason["message"],
        count=reason.get("count", 1),
        sample_rows=reason.get("rows", []),
        remedy=reason.get(
            "remedy", "Look at the file in quarantine; mend it or ask the publisher, then land it again."
        ),
        affected_marts=reason.get("affected_marts", []),
    )


class AlertLog:
    """The alerts of one installation, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def path(self) -> Path:
        """Return the log of events: JSON lines, only ever added to."""
        return self.folder / LOG

    def all(self) -> list[Alert]:
        """Return every alert with its present state, newest first."""
        found: dict[str, Alert] = {}
        for event in read_records(self.path):
            key = f"{event['scope']}#{event['rule']}"
            last = found.get(key)
            if event["event"] != "closed":
                found[key] = _opened(key, event, last)
            elif last:
                found[key] = replace(last, state="closed", closed_at=event["at"])
        return sorted(found.values(), key=lambda alert: (alert.last_seen_at, alert.alert_id), reverse=True)

    def open(self) -> list[Alert]:
        """Return the alerts that stand open."""
        return [alert for alert in self.all() if alert.state == "open"]

    def reconcile(self, scope: str, breaches: Sequence[Breach]) -> None:
        """Bring the log to what was just found for one scope."""
        with locked(self.folder / ".lock"):
            standing = {alert.breach.rule: alert.breach for alert in self.open() if alert.scope == scope}
            at = datetime.now(UTC).isoformat(timespec="seconds")
            events: list[dict[str, Any]] = [
                {
                    "event": _event(standing.get(breach.rule), breach),
                    "at": at,
                    "scope": scope,
                    "rule": breach.rule,
                    "breach": asdict(breach),
                }
                for breach in breaches
            ]
            gone = sorted(standing.keys() - {breach.rule for breach in breaches})
            events += [{"event": "closed", "at": at, "scope": scope, "rule": rule} for rule in gone]
            append_records(self.path, events)


def _opened(key: str, event: dict[str, Any], last: Alert | None) -> Alert:
    again = last if last and last.state == "open" else None
    return Alert(
        alert_id=key,
        scope=event["scope"],
        state="open",
        opened_at=again.opened_at if again else event["at"],
        last_seen_at=event["at"],
        closed_at=None,
        times_seen=again.times_seen + 1 if again else 1,
        breach=Breach(**event["breach"]),
    )


def _event(before: Breach | None, now: Breach) -> str:
    """Name what has happened to a breach since it was last looked at."""
    if before is None:
        return "opened"
    same = (before.severity, before.count, before.message) == (now.severity, now.count, now.message)
    return "seen" if same else "updated"
