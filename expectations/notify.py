"""Telling people: alerts go out by Apprise URL (e-mail, Teams, webhook …), once when they open, once when closed.

`block` goes out at once, one message each, also where a warning has become one; `warn` waits for the digest. What was
delivered to whom is an append-only log, so a repeated run sends nothing twice, and a channel that failed gets what it
missed on the next run; the failure is itself an alert. Channel addresses hold credentials: they are named by a hash and
never logged.

News of care (`expectations.care`) goes to the LMS's own channels alone, once, in a message of its own.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from expectations import care
from expectations.alerts import Alert, AlertLog, Breach, Scope, accept_command
from expectations.care import CareNotice
from perinatal.durable import locked
from perinatal.json_lines import append_records, read_records

DELIVERIES = "deliveries.jsonl"
MESSAGES_AN_HOUR = 20
SHOWN_ALERTS = 40
ALERTS_PAGE = "quality.html#alerts"  # where an alert stands that has no page of its own in the edition yet

Send = Callable[[str, str, str], bool]


@dataclass(frozen=True)
class Channel:
    """One address. `lms_code` narrows it to alerts that concern that LMS; None hears of everything."""

    url: str
    lms_code: str | None = None

    @property
    def name(self) -> str:
        """Name the channel without its credentials: its kind and a hash."""
        kind, separator, _ = self.url.partition("://")
        return f"{kind if separator else 'address'}-{hashlib.sha256(self.url.encode()).hexdigest()[:8]}"

    def hears(self, alert: Alert) -> bool:
        """Tell whether an alert is for this channel."""
        return self.lms_code is None or self.lms_code in alert.breach.affected_lms


@dataclass(frozen=True)
class Links:
    """Addresses of the portal's pages on alerts; empty where the portal has no public address."""

    portal_url: str
    pages: Mapping[str, str]

    @property
    def all_alerts(self) -> str:
        """Return the address of the list of alerts."""
        return f"{self.portal_url}/{ALERTS_PAGE}" if self.portal_url else ""

    def of(self, alert: Alert) -> str:
        """Return the address of an alert's page, or of the list where it has none: no edition was made since."""
        page = self.pages.get(alert.alert_id)
        return f"{self.portal_url}/{page}" if self.portal_url and page else self.all_alerts


@dataclass(frozen=True)
class Sent:
    """What one run did for one channel."""

    channel: str
    messages: int
    alerts: int
    waiting: int
    failed: bool


def notify(
    log: AlertLog,
    channels: Sequence[Channel],
    *,
    digest: bool,
    portal_url: str | None = None,
    pages: Mapping[str, str] = MappingProxyType({}),
    send: Send | None = None,
    news: Sequence[CareNotice] = (),
) -> list[Sent]:
    """Deliver what is due: every `block` and the `news` of care at once, with `digest` all the rest in one message.

    `pages` has the page of each alert (by its id) in the edition that stands, from the root of the portal.
    """
    links = Links(portal_url.rstrip("/") if portal_url else "", pages)
    with locked(log.folder / ".notify.lock"):
        delivered = list(read_records(log.folder / DELIVERIES))
        outcome = [_serve(log, channel, delivered, digest, links, send or _apprise) for channel in channels]
        outcome = [
            sent if sent.failed else _send_care(log, channel, delivered, news, portal_url or "", send or _apprise, sent)
            for channel, sent in zip(channels, outcome, strict=True)
        ]
    for sent in outcome:
        broken = Breach("channel_fails", "warn", "messages cannot be delivered; they are kept and tried again")
        log.reconcile(Scope.of("notify", sent.channel), [broken] if sent.failed else [])
    return outcome


def _apprise(url: str, title: str, body: str) -> bool:
    """Send one message; True when the other side took it."""
    import apprise

    logging.getLogger("apprise").disabled = True  # it logs addresses, tokens included
    target = apprise.Apprise()
    return bool(target.add(url)) and bool(target.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT))


def _due(log: AlertLog, channel: Channel, delivered: Iterable[dict[str, Any]]) -> list[Alert]:
    """Return the alerts whose present state this channel has not heard of: opened, become a block, closed.

    An alert that opened and closed before anybody heard of it is left out, and so is one that a person has accepted.
    """
    own = [item for item in delivered if item["channel"] == channel.name]
    sent = {(item["alert"], item["opened_at"], item["state"]) for item in own}
    as_warning = {(item["alert"], item["opened_at"]) for item in own if item.get("severity") != "block"}
    as_block = {(item["alert"], item["opened_at"]) for item in own if item.get("severity") == "block"}
    due = []
    for alert in log.all():
        opened = (alert.key, alert.occasion, "open") in sent
        closed = (alert.key, alert.occasion, "closed") in sent
        key = (alert.key, alert.occasion)
        worse = alert.breach.severity == "block" and key in as_warning - as_block
        new = {"open": not opened or worse, "accepted": False, "closed": opened and not closed}[alert.state]
        if new and channel.hears(alert) and alert.scope != Scope.of("notify", channel.name):
            due.append(alert)
    return due


def _serve(
    log: AlertLog, channel: Channel, delivered: list[dict[str, Any]], digest: bool, links: Links, send: Send
) -> Sent:
    due = _due(log, channel, delivered)
    urgent = [alert for alert in due if alert.breach.severity == "block"]
    rest = [alert for alert in due if alert.breach.severity != "block"]
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="seconds")
    recent = {item["message"] for item in delivered if item["channel"] == channel.name and item["at"] > hour_ago}
    room = max(0, MESSAGES_AN_HOUR - len(recent))
    batches = [[alert] for alert in urgent] if len(urgent) <= room else [urgent] if room else []
    if digest and rest and room > len(batches):
        batches.append(rest)
    done, failed = 0, False
    for batch in batches:
        failed = not send(channel.url, *_message(batch, links))
        if failed:
            break
        done += len(batch)
        _record(log, channel, [_state(alert) for alert in batch])
    return Sent(channel.name, len(batches), done, len(due) - done, failed)


def _send_care(
    log: AlertLog,
    channel: Channel,
    delivered: list[dict[str, Any]],
    news: Sequence[CareNotice],
    portal_url: str,
    send: Send,
    sent: Sent,
) -> Sent:
    """Send an LMS's channel the news of care that it has not heard of, in one message; returns what the run did."""
    heard = {(item["alert"], item["opened_at"]) for item in delivered if item["channel"] == channel.name}
    due = [item for item in news if item.lms_code == channel.lms_code and (item.key, item.edition_id) not in heard]
    if not due:
        return sent
    if not send(channel.url, *care.message(due, portal_url)):
        return replace(sent, messages=sent.messages + 1, waiting=sent.waiting + len(due), failed=True)
    states = [(item.key, {"opened_at": item.edition_id, "state": "new", "severity": "care"}) for item in due]
    _record(log, channel, states)
    return replace(sent, messages=sent.messages + 1, alerts=sent.alerts + len(due))


def _state(alert: Alert) -> tuple[str, dict[str, str]]:
    return alert.key, {"opened_at": alert.occasion, "state": alert.state, "severity": alert.breach.severity}


def _record(log: AlertLog, channel: Channel, batch: Sequence[tuple[str, dict[str, str]]]) -> None:
    """Write down that a channel has taken a message about these keys in these states."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    common = {"at": at, "channel": channel.name, "message": f"{at}-{batch[0][0]}"}
    append_records(log.folder / DELIVERIES, [common | {"alert": key} | state for key, state in batch])


def _message(batch: list[Alert], links: Links) -> tuple[str, str]:
    """Return title and text: enough to act on without opening anything, and where to look further."""
    if len(batch) == 1:
        alert = batch[0]
        state = "closed" if alert.state == "closed" else alert.breach.severity
        return f"Perinatal Insights [{state}] {alert.breach.rule}", _paragraph(alert, links)
    opened = sum(alert.state == "open" for alert in batch)
    title = f"Perinatal Insights: {opened} new data-quality alert(s), {len(batch) - opened} closed"
    more = f"\n\n… and {len(batch) - SHOWN_ALERTS} more: `perinatal alerts`" if len(batch) > SHOWN_ALERTS else ""
    overview = f"\n\nAll alerts: {links.all_alerts}" if links.all_alerts else ""
    return title, "\n\n".join(_paragraph(alert, links) for alert in batch[:SHOWN_ALERTS]) + more + overview


def _paragraph(alert: Alert, links: Links) -> str:
    breach = alert.breach
    if alert.state == "closed":
        return f"Closed, found no more: {breach.message} ({alert.scope}, {breach.rule})"
    parts = {
        "Where": str(alert.scope),
        "Release": breach.release_key,
        "Rule": f"{breach.rule} ({breach.count:,} found)",
        "Why it matters": breach.why,
        "Tables": ", ".join(breach.affected_marts),
        "Local maternity systems": ", ".join(breach.affected_lms),
        "What to do": breach.remedy,
        "To see more": f"perinatal alerts show {alert.alert_id}",
        "To accept it until a day": accept_command(alert.alert_id),
        "Page": links.of(alert),
    }
    lines = [f"[{breach.severity}] {breach.message}", *(f"{name}: {text}" for name, text in parts.items() if text)]
    lines += [
        "  " + ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in row.items() if value is not None)
        for row in breach.sample_rows[:3]
    ]
    return "\n".join(lines)
