"""Atom feeds of editions, of data-quality alerts, and of what is new about an LMS's care (RFC 4287)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from publish.portal import wording as words
from publish.portal.alerts import page_of
from publish.portal.model import Edition, Facts, Record

ATOM = "http://www.w3.org/2005/Atom"
AUTHOR = "Perinatal Insights"
TAG = "tag:perinatal-insights,2026"  # ids that stay the same wherever the portal is hosted
MOST_ENTRIES = 50


def editions(facts: Facts) -> str:
    """Return the feed of editions, this one first."""
    entries = [
        _entry(
            f"{TAG}:edition/{edition['edition_id']}",
            words.marked(f"Edition of {words.day(edition['published_at'])}", edition["is_synthetic"]),
            edition["published_at"],
            f"{words.plural(len(edition['releases']), 'release')}; "
            f"{words.plural(len(edition['warnings']), 'standard')} not met at the release gate.",
            _link(facts, "change.html"),
        )
        for edition in facts.editions[:MOST_ENTRIES]
    ]
    return _feed(facts, "editions", "editions", entries)


def alerts(edition: Edition, paged: Sequence[Record]) -> str:
    """Return the feed of the alerts that have a page; one that closes is a new state of the same entry."""
    entries = [
        _entry(
            f"{TAG}:alert/{alert['alert_id']}/{_moment(alert['opened_at'])}",
            words.marked(
                f"{words.label(alert['severity'])}, {alert['state']}: {alert['rule']}", edition.facts.is_synthetic
            ),
            _moment(alert["closed_at"] or alert["last_seen_at"] or alert["opened_at"]),
            f"{alert['message']} {alert['remedy'] or ''}".strip(),
            _link(edition.facts, page_of(alert)),
        )
        for alert in paged[:MOST_ENTRIES]
    ]
    return _feed(edition.facts, "alerts", "data-quality alerts", entries)


def care(facts: Facts, lms_code: str, lms_name: str) -> str:
    """Return the feed of what began to stand out about an LMS's care, of the editions that are kept, newest first."""
    entries = [
        _entry(
            f"{TAG}:care/{edition['edition_id']}/{lms_code}/{news['subject']}",
            words.marked(f"Care: {news['text'].partition(':')[0]}", edition["is_synthetic"]),
            edition["published_at"],
            news["text"],
            _link(facts, news["page"]),
        )
        for edition in facts.editions
        for news in edition.get("care", [])
        if news["lms_code"] == lms_code
    ]
    return _feed(facts, f"care-{words.slug(lms_code)}", f"care, {lms_name}", entries[:MOST_ENTRIES])


def _moment(value: datetime | str) -> str:
    if isinstance(value, str):
        return value
    return value.replace(tzinfo=UTC).isoformat(timespec="seconds")


def _link(facts: Facts, page: str) -> str:
    return f"{facts.portal_url.rstrip('/')}/{page}" if facts.portal_url else f"../{page}"


def _entry(ident: str, title: str, updated: str, summary: str, link: str) -> Element:
    entry = Element("entry")
    for name, text in (("id", ident), ("title", title), ("updated", updated), ("summary", summary)):
        SubElement(entry, name).text = text
    SubElement(entry, "link", href=link)
    return entry


def _feed(facts: Facts, name: str, about: str, entries: Sequence[Element]) -> str:
    title = words.marked(f"Perinatal Insights: {about}", facts.is_synthetic)
    feed = Element("feed", xmlns=ATOM)
    for tag, text in (("id", f"{TAG}:{name}"), ("title", title), ("updated", facts.published_at)):
        SubElement(feed, tag).text = text
    SubElement(SubElement(feed, "author"), "name").text = AUTHOR
    SubElement(feed, "link", rel="self", href=_link(facts, f"feed/{name}.xml") if facts.portal_url else f"{name}.xml")
    feed.extend(entries)
    indent(feed, " ")
    document: bytes = tostring(feed, encoding="utf-8", xml_declaration=True)
    return document.decode("utf-8")
