"""What monitoring asks of an installation: gauges in Prometheus' text format, and whether the portal can answer.

The portal's own server answers `/metrics` and `/healthz` with what is so at that moment. Behind nginx a file is served,
`metrics.prom` in the state folder, which each landing, build, notification and failed task writes anew. Moments are
Unix seconds, so that an age is right whenever the file was written.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from expectations.alerts import AlertLog
from ingest.archive.manifest import LandedReleases
from ingest.archive.quarantine import Quarantine
from ingest.fetch.probe_state import ProbeStates, load
from ingest.registry import all_sources
from perinatal.durable import write_atomically
from perinatal.home import Home
from pipeline import disk
from pipeline.freshness import freshness
from publish import edition
from publish.edition import Editions

SEVERITIES = ("block", "warn", "info")
Samples = Iterable[tuple[Mapping[str, str], float]]


def text(home: Home) -> str:
    """Return every gauge with its value now, in Prometheus' text format."""
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    registry = CollectorRegistry()
    for name, meaning, samples in _gauges(home):
        listed = list(samples)
        labels = list(listed[0][0]) if listed else []
        gauge = Gauge(f"perinatal_{name}", meaning, labels, registry=registry)
        for values, number in listed:
            (gauge.labels(**values) if labels else gauge).set(number)
    return generate_latest(registry).decode()


def write(home: Home) -> None:
    """Write the gauges into the file that nginx serves."""
    write_atomically(home.metrics, text(home))


def health(home: Home) -> str:
    """Return as JSON that the server answers, which edition is read, since when, and how many alerts stand open."""
    standing = Editions.of(home).current()
    facts = edition.info(standing) if standing else {}
    found = {
        "status": "ok",
        "edition": facts.get("edition_id"),
        "published_at": facts.get("published_at"),
        "open_alerts": _alerts(home),
    }
    return json.dumps(found) + "\n"


def answers(home: Home) -> dict[str, Any]:
    """Return what the portal's server answers beside files: by address, the kind of text and what gives it."""
    from prometheus_client import CONTENT_TYPE_LATEST

    return {
        "/healthz": ("application/json", lambda: health(home)),
        "/metrics": (CONTENT_TYPE_LATEST, lambda: text(home)),
    }


def _alerts(home: Home) -> dict[str, int]:
    found = Counter(alert.breach.severity for alert in AlertLog(home.alerts).open())
    return {severity: found[severity] for severity in SEVERITIES}


def _gauges(home: Home) -> Iterable[tuple[str, str, Samples]]:
    """Yield name, meaning and samples of each gauge; one without samples is left at 0 or out."""
    yield "metrics_timestamp_seconds", "When these figures were found", [({}, datetime.now(UTC).timestamp())]
    yield from _of_editions(home)
    yield from _of_sources(home)
    alerts = [({"severity": severity}, float(count)) for severity, count in _alerts(home).items()]
    yield "alerts_open", "Open alerts that nobody has accepted", alerts
    held = Counter(found.source_id for _, found in Quarantine(home.quarantine).reports())
    quarantined = [({"source": name}, float(held[name])) for name in all_sources()]
    yield "quarantined_files", "Files in quarantine that a person has to decide on", quarantined
    free = shutil.disk_usage(disk.existing(home.root))
    yield "disk_free_bytes", "Free space where the state folder lies", [({}, free.free)]
    yield "disk_size_bytes", "Size of the file system of the state folder", [({}, free.total)]
    yield "disk_needed_bytes", "Free space that the next build asks for before it starts", [({}, disk.needed(home))]


def _of_editions(home: Home) -> Iterable[tuple[str, str, Samples]]:
    editions = Editions.of(home)
    yield "editions", "Editions that are kept", [({}, len(editions.history()))]
    standing = editions.current()
    if standing is None:
        return
    facts = edition.info(standing)
    said = {"edition": facts["edition_id"], "is_synthetic": str(facts["is_synthetic"]).lower()}
    yield "edition_info", "The edition that people read; always 1", [(said, 1)]
    yield "edition_published_timestamp_seconds", "When it was published", [({}, _moment(facts["published_at"]))]
    yield "edition_releases", "Releases in it", [({}, len(facts["releases"]))]
    yield "edition_warnings", "Standards of severity warn that it does not meet", [({}, len(facts["warnings"]))]
    seconds = [({"step": name}, taken) for name, taken in facts.get("seconds", {}).items()]
    if seconds:
        yield "build_seconds", "Seconds that each step of its build took", seconds


def _of_sources(home: Home) -> Iterable[tuple[str, str, Samples]]:
    landed = Counter(item.source_id for item in LandedReleases(home.landed).in_use())
    yield "landed_releases", "Releases in use", [({"source": name}, landed[name]) for name in all_sources()]
    fresh = freshness(Editions.of(home).current())
    known = [({"source": source, "dataset": dataset}, one) for (source, dataset), one in sorted(fresh.items())]
    reach = [(labels, one.figures_up_to) for labels, one in known if one.figures_up_to]
    today = datetime.now(UTC).date()
    if reach:
        up_to = [(labels, _moment(day.isoformat())) for labels, day in reach]
        yield "figures_up_to_timestamp_seconds", "End of the newest period of a dataset", up_to
        yield "figures_age_days", "Days since then", [(labels, (today - day).days) for labels, day in reach]
    late = [(labels, float(_is_late(one.late_from, today))) for labels, one in known if one.late_from]
    if late:
        yield "figures_late", "1 where the next figures are overdue by the publisher's own calendar", late
    states = {name: load(ProbeStates(home.probes).path_of(name, synthetic=False)) for name in all_sources()}
    asked = [({"source": name}, _moment(state.probed_at)) for name, state in states.items() if state.probed_at]
    if asked:
        yield "publisher_asked_timestamp_seconds", "When a publisher was asked last", asked


def _is_late(late_from: date, today: date) -> bool:
    return today >= late_from


def _moment(iso: str) -> float:
    found = datetime.fromisoformat(iso)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
