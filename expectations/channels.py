"""Sending alerts to people: each opening and closing once to each channel.

A channel is an Apprise URL (`PERINATAL_ALERT_URLS`: e-mail, Teams, Slack, webhook, file). What a channel has got is
kept as its place in the append-only alert log, so that a channel that does not answer gets the same news next time,
and the others do not get it twice. URLs hold passwords: they are never logged; a channel is named by its scheme and
a short hash.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from expectations import alerts
from perinatal import settings
from perinatal.errors import PerinatalError
from perinatal.home import Home, locked, write_atomically

PLACES = "sent.json"
LINES = 50  # in one message; a flood is counted, not poured out


class ChannelSilent(PerinatalError):
    """A channel did not take the message; the next run tries again."""


@dataclass(frozen=True)
class Sent:
    """What one call sent: news (openings and closings) over all channels."""

    news: int
    channels: int


def send(home: Home) -> Sent:
    """Send to each channel what has opened or closed since it last heard. Raises ChannelSilent after trying all."""
    urls = settings.get().alert_urls.get_secret_value().split()
    silent, sent = [], 0
    with locked(home.alerts / ".sending.lock"):
        events = alerts.events(home)
        places = _places(home)
        for url in urls:
            name = _name(url)
            news = [event for event in events[places.get(name, 0) :] if event["event"] != "seen"]
            if news and not _notify(url, *_message(news)):
                silent.append(name)
                continue
            sent += len(news)
            places[name] = len(events)
        write_atomically(home.alerts / PLACES, json.dumps(places, indent=1) + "\n")
    if silent:
        raise ChannelSilent(f"{', '.join(silent)}: did not take the alerts; check PERINATAL_ALERT_URLS and the channel")
    return Sent(sent, len(urls))


def _places(home: Home) -> dict[str, int]:
    path = home.alerts / PLACES
    if not path.exists():
        return {}
    found: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _name(url: str) -> str:
    return f"{url.split(':', 1)[0]}:{hashlib.sha256(url.encode()).hexdigest()[:8]}"


def _message(news: list[dict[str, Any]]) -> tuple[str, str]:
    """Return title and text."""
    opened = [event for event in news if event["event"] == "opened"]
    title = f"Perinatal Insights: {len(opened)} alert(s) opened, {len(news) - len(opened)} closed"
    lines = [_line(event) for event in news[:LINES]]
    more = [f"… and {len(news) - LINES} more: `perinatal alerts --all`"] if len(news) > LINES else []
    return title, "\n".join([*lines, *more])


def _line(event: dict[str, Any]) -> str:
    if event["event"] == "closed":
        return f"closed: {event['scope']} {event['rule']}"
    breach = event["breach"]
    return f"{breach['severity']}: {event['scope']} {event['rule']}: {breach['message']} {breach['remedy']}".strip()


def _notify(url: str, title: str, body: str) -> bool:
    import apprise

    channel = apprise.Apprise()
    return bool(channel.add(url) and channel.notify(title=title, body=body))
