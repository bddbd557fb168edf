"""The page of each data-quality alert: where it is, which rows and organisations, why it matters, what to do.

It shows what `quality.alert` ships and no more: examples of failing rows name rows, codes and names, never births.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from expectations import alerts
from expectations.failing import ORGANISATION_CODES
from publish.portal import wording as words
from publish.portal.lookup import ENGLAND, Lookup
from publish.portal.model import Record
from publish.portal.quality import releases_of

MOST_CLOSED = 50  # closed alerts that keep a page
# where an alert was found, by the kind of its scope; `{}` is the rest of the scope
PLACES = {
    "release": "in the whole edition, before it was published",
    "candidate": "in a build that was held back",
    "daily": "in the calendar: what time alone makes late",
    "judgement": "in the comparison with the last edition",
    "arrival": "in a file on its arrival: {}",
    "inbox": "in the inbox: {}",
    "fetch": "while asking a publisher: {}",
    "archive": "in the archive",
    "storage": "in the shared store",
    "notify": "while sending messages: {}",
}


class Alerts:
    """The alerts of an edition that have a page: open, accepted, and those that closed last."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        found = lookup.edition.alerts
        self.open = [alert for alert in found if alert["state"] == "open"]
        self.accepted = [alert for alert in found if alert["state"] == "accepted"]
        self.closed = [alert for alert in found if alert["state"] == "closed"][:MOST_CLOSED]
        self.paged = [*self.open, *self.accepted, *self.closed]
        self._names = dict(self._named())

    def page(self, alert: Record) -> dict[str, Any]:
        """Return the context of an alert's page."""
        examples, scope = json.loads(alert["sample_rows"] or "[]"), alerts.Scope.read(alert["scope"] or "")
        known = self.lookup.edition.releases
        releases = [known[key] for key in self._releases(alert, examples) if key in known]
        affected = [lms for lms in self.lookup.edition.lms if lms["lms_code"] in (alert["affected_lms"] or [])]
        return {
            "alert": alert,
            "where": place(alert["scope"]),
            "releases": releases,
            "columns": list(dict.fromkeys(name for row in examples for name in row)),
            "examples": [{name: self._cell(name, cell) for name, cell in row.items()} for row in examples],
            "affected": affected,
            "look": [f"perinatal alerts show {alert['alert_id']}", *alerts.look_commands(scope, alert["rule"])],
            "accept": alerts.accept_command(alert["alert_id"]),
        }

    def about(self, lms_code: str) -> list[Record]:
        """Return the open alerts that concern trusts of an LMS."""
        return [alert for alert in self.open if lms_code in (alert["affected_lms"] or [])]

    def _releases(self, alert: Record, examples: Iterable[Record]) -> list[str]:
        named = [row["release_key"] for row in examples if row.get("release_key")]
        return list(dict.fromkeys([*releases_of(self.lookup.edition, alert), *named]))

    def _cell(self, column: str, cell: Any) -> dict[str, Any]:
        """Return a cell of an example: its text, and the page that it leads to."""
        text = "" if cell is None else words.counted(cell) if isinstance(cell, int | float) else str(cell)
        if column == "release_key" and cell in self.lookup.edition.releases:
            return {"text": self.lookup.release_name(cell), "page": self.lookup.release_page(cell)}
        if column == "indicator_id" and cell in self.lookup.edition.indicators:
            return {"text": self.lookup.indicator_name(cell), "page": self.lookup.indicator_page(cell)}
        if column in ORGANISATION_CODES and cell in self._names:
            name, page = self._names[cell]
            return {"text": f"{name} ({cell})", "page": page}
        return {"text": text, "page": None}

    def _named(self) -> Iterator[tuple[str, tuple[str, str | None]]]:
        """Yield name and page of each organisation by its code."""
        yield ENGLAND[1], ("England", None)
        for row in self.lookup.edition.lms:
            yield row["lms_code"], (row["lms_name"], f"lms/{words.slug(row['lms_code'])}.html")
        for row in self.lookup.edition.trusts.values():
            yield row["code"], (row["name"], f"trust/{words.slug(row['code'])}.html")


def page_of(alert: Record) -> str:
    """Return the page of an alert, from the root."""
    return f"alert/{words.slug(alert['alert_id'])}.html"


def place(scope: str | None) -> str:
    """Say where an alert was found."""
    kind, _, rest = (scope or "").partition("/")
    return PLACES.get(kind, f"{words.label(kind).lower()}: {{}}").format(rest.replace("/", ", "))
