"""What each Airflow task calls, once: the steps of the pipeline, told in one line with the counts.

Nothing is handed from step to step but what lies under `PERINATAL_HOME`: every step looks there, so a missed, doubled
or repeated call is harmless. Heavy libraries are imported by the step that needs them, not by the DAG files.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from ingest import registry
from ingest.archive import manifest as manifests
from perinatal import home as homes
from perinatal import settings
from perinatal.durable import locked
from perinatal.errors import Damaged, PerinatalError, RefusedAtArrival


@dataclass(frozen=True)
class Told:
    """What a step came to. `did` is False where there was nothing to do; `message` is one line with the counts.

    `landed`: source, releases, rows of each source with something that is in no edition yet. `amiss`: what went wrong
    with the rest. `edition`: what the new edition's asset event says.
    """

    did: bool
    message: str
    landed: list[dict[str, Any]] = field(default_factory=list)
    amiss: list[str] = field(default_factory=list)
    edition: dict[str, Any] = field(default_factory=dict)


def probe(source_id: str) -> Told:
    """Ask the publisher whether there is anything to do. The sample's by-hand files are dropped as a person would."""
    from ingest.sample import publishers
    from pipeline import runs as pipeline

    home, mode, source = homes.get(), settings.get().mode, registry.source(source_id)
    if mode == "inbox":
        return Told(False, "not asked: PERINATAL_MODE is inbox, so only what people drop there is landed")
    if mode == "sample":
        if not publishers.has_sample(source):
            return Told(False, "no sample is made for this source")
        publishers.drop(home, source)
    found = pipeline.probe(home, source_id, mode)
    return Told(found["changed"], found["message"])


def fetch(source_id: str) -> Told:
    """Download what is new, ask the arrival gate, land what passes.

    Raises PerinatalError if the publisher failed and RefusedAtArrival if everything new was refused; what was landed
    beside that is told, with the rest in `amiss`.
    """
    from pipeline import runs as pipeline

    report = pipeline.fetch(homes.get(), source_id, settings.get().mode)
    news = _unpublished({source_id})
    amiss = report["warnings"] if report["outcome"] in ("failed", "refused") else []
    if amiss and not news:
        raise (RefusedAtArrival if report["outcome"] == "refused" else PerinatalError)(report["message"])
    return Told(bool(news), f"{report['message']}{_counted(news)}", news, amiss)


def land_inbox() -> Told:
    """Land every file of the inbox that has stopped growing. Raises RefusedAtArrival if all were refused."""
    from pipeline import runs as pipeline

    found = pipeline.land_inbox(homes.get())
    refused = [table["message"] for table in found["refused"]]
    counts = {name: len(found[name]) for name in ("landed", "revised", "refused", "left")}
    told = ", ".join(f"{count} {name}" for name, count in (counts | {"unchanged": found["unchanged"]}).items())
    news = _unpublished()
    if refused and not news:
        raise RefusedAtArrival("; ".join(refused))
    return Told(bool(news), f"inbox: {told}{_counted(news)}", news, refused)


def build() -> Told:
    """Build what is landed into a candidate, gate it, code its findings, publish it."""
    from pipeline import runs as pipeline
    from publish import edition

    home = homes.get()
    if not manifests.in_use(home):
        return Told(False, "nothing is landed yet")
    built = pipeline.build(home)
    if built.what == "nothing_new":
        return Told(False, f"nothing new: edition {built.edition.name} stands")
    releases = len(edition.info(built.edition)["releases"])
    return Told(
        True,
        f"published {built.edition.name}: {releases} release(s), {built.changed_rows:,} row(s) changed, "
        f"{built.warnings} warning(s)",
        edition={
            "edition": built.edition.name,
            "releases": releases,
            "rows_changed": built.changed_rows,
            "warnings": built.warnings,
        },
    )


def prune() -> Told:
    """Remove editions beyond those that the settings keep."""
    from publish import edition

    home = homes.get()
    with locked(home.root / ".build.lock"):
        removed = edition.prune(home, settings.get().keep_editions)
    return Told(bool(removed), f"{len(removed)} edition(s) removed, {len(list(home.editions.glob('*')))} kept")


def verify() -> Told:
    """Re-hash the archive and hold it against the manifests. Raises Damaged with the first findings."""
    from expectations import alerts
    from ingest.archive import verification

    home = homes.get()
    damage = list(verification.damage(home))
    alerts.AlertLog(home.alerts).reconcile("archive", [_damage(damage)] if damage else [])
    if damage:
        raise Damaged(f"{len(damage)} finding(s): {'; '.join(damage[:3])}")
    return Told(True, f"{sum(1 for _ in home.archive.glob('??/*'))} archived file(s) are whole")


def send_alerts(*, digest: bool) -> Told:
    """Send what people have not heard of yet: `block` at once, with `digest` the rest too.

    Raises PerinatalError if a channel did not take it: what it missed is kept, and a repetition sends it nothing twice.
    """
    from pipeline import runs as pipeline

    sent = pipeline.notify(homes.get(), digest=digest)
    told = f"{sum(item.alerts for item in sent)} alert(s) sent to {len(sent)} channel(s)"
    silent = [item.channel for item in sent if item.failed]
    if silent:
        raise PerinatalError(f"{told}; {', '.join(silent)} did not take them; check the channel and its address")
    return Told(any(item.alerts for item in sent), told)


def task_failed(scope: str, reason: str, *, is_refusal: bool) -> None:
    """Open an alert for a task that has failed for good, unless the gate that refused has opened one; send it."""
    from expectations import alerts

    if not is_refusal:
        remedy = "Read the task's log in Airflow; the task runs again at its next time, or clear it to run it now."
        alerts.AlertLog(homes.get().alerts).reconcile(
            scope, [alerts.Breach("task_failed", "block", reason, remedy=remedy)]
        )
    send_alerts(digest=False)


def task_well(scope: str) -> None:
    """Close the alert of a task that has run, or had nothing to do."""
    from expectations import alerts

    alerts.AlertLog(homes.get().alerts).reconcile(scope, [])


def _damage(damage: list[str]) -> Any:
    from expectations import alerts

    return alerts.Breach(
        rule="archive_is_whole",
        severity="block",
        message=f"{len(damage)} finding(s), first: {damage[0]}",
        count=len(damage),
        sample_rows=[{"finding": line} for line in damage[:20]],
        remedy="Restore the files from a backup, then run `perinatal verify`.",
    )


def _unpublished(source_ids: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return what is landed and in no edition yet, one entry a source (of these, or of all).

    Looked up and not handed on: a landing that was killed before it could tell anybody is told by the next one.
    """
    from publish import edition

    home = homes.get()
    standing = edition.current(home)
    known = set(edition.info(standing)["releases"]) if standing else set()
    news: dict[str, dict[str, Any]] = {}
    for item in manifests.in_use(home):
        if item.release_key in known or (source_ids and item.source_id not in source_ids):
            continue
        entry = news.setdefault(item.source_id, {"source": item.source_id, "releases": [], "rows": 0})
        entry["releases"].append(f"{item.dataset} {item.release} (revision {item.revision})")
        entry["rows"] += item.rows_in
    return [news[source_id] for source_id in sorted(news)]


def _counted(news: list[dict[str, Any]]) -> str:
    releases, rows = sum(len(entry["releases"]) for entry in news), sum(entry["rows"] for entry in news)
    return f"; {releases} release(s) with {rows:,} rows wait for the next edition" if news else ""
