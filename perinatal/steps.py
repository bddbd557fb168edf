"""What each Airflow task calls, once: the steps of the pipeline, told in one line with the counts.

Nothing is handed from step to step but what lies under `PERINATAL_HOME`: every step looks there, so a missed, doubled
or repeated call is harmless. Heavy libraries are imported by the step that needs them, not by the DAG files.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from perinatal import home as homes
from perinatal import settings
from perinatal.errors import Damaged, PerinatalError, RefusedAtArrival

if TYPE_CHECKING:
    from ingest.landing import Outcome


@dataclass(frozen=True)
class Told:
    """What a step came to. `did` is False where there was nothing to do; `message` is one line with the counts.

    `landed`: source, releases, rows of each source with something new. `refused`: why files went to quarantine.
    `edition`: what the new edition's asset event says.
    """

    did: bool
    message: str
    landed: list[dict[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    edition: dict[str, Any] = field(default_factory=dict)


def probe(source_id: str) -> Told:
    """Ask the publisher whether something is new."""
    mode = settings.get().mode
    if mode == "inbox":
        return Told(False, "not asked: PERINATAL_MODE is inbox, so only what people drop there is landed")
    return Told(True, f"{mode}: looking at {source_id}")


def fetch(source_id: str) -> Told:
    """Download what is new, ask the arrival gate, land what passes."""
    from perinatal import pipeline

    return _told(pipeline.land_sample(homes.get(), [source_id]), [])


def land_inbox() -> Told:
    """Land every file of the inbox that has stopped growing."""
    from ingest import landing, registry

    home, outcomes, refused = homes.get(), [], []
    for path in sorted(home.inbox.glob("*/*")):
        try:
            arrival = landing.Arrival(registry.source(path.parent.name), path.name)
            outcomes.append(landing.land(home, path, arrival))
        except RefusedAtArrival as error:
            refused.append(str(error))
        path.unlink()
    return _told(outcomes, refused)


def build() -> Told:
    """Build what is landed into a candidate, gate it, code its findings, publish it."""
    from ingest import manifest
    from perinatal import pipeline
    from publish import edition

    home = homes.get()
    if not manifest.in_use(home):
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
    with homes.locked(home.root / ".build.lock"):
        removed = edition.prune(home, settings.get().keep_editions)
    return Told(bool(removed), f"{len(removed)} edition(s) removed, {len(list(home.editions.glob('*')))} kept")


def verify() -> Told:
    """Re-hash the archive and hold it against the manifests. Raises Damaged with the first findings."""
    from expectations import alerts
    from ingest import archive, manifest

    home = homes.get()
    damage = list(manifest.damage(home))
    alerts.reconcile(home, "archive", [_damage(damage)] if damage else [])
    if damage:
        raise Damaged(f"{len(damage)} finding(s): {'; '.join(damage[:3])}")
    return Told(True, f"{archive.count(home)} archived file(s) are whole")


def send_alerts(*, digest: bool) -> Told:
    """Send what people have not heard of yet: `block` at once, with `digest` the rest too.

    Raises PerinatalError if a channel did not take it: what it missed is kept, and a repetition sends it nothing twice.
    """
    from perinatal import pipeline

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
        alerts.reconcile(homes.get(), scope, [alerts.Breach("task_failed", "block", reason, remedy=remedy)])
    send_alerts(digest=False)


def task_well(scope: str) -> None:
    """Close the alert of a task that has run, or had nothing to do."""
    from expectations import alerts

    alerts.reconcile(homes.get(), scope, [])


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


def _told(outcomes: Iterable[Outcome], refused: list[str]) -> Told:
    landed: dict[str, dict[str, Any]] = {}
    unchanged = 0
    for outcome in outcomes:
        item = outcome.manifest
        if outcome.what == "unchanged":
            unchanged += 1
            continue
        entry = landed.setdefault(item.source_id, {"source": item.source_id, "releases": [], "rows": 0})
        entry["releases"].append(f"{item.dataset} {item.release} (revision {item.revision})")
        entry["rows"] += item.rows_in
    new = [landed[source_id] for source_id in sorted(landed)]
    releases, rows = sum(len(entry["releases"]) for entry in new), sum(entry["rows"] for entry in new)
    message = f"{releases} release(s) landed with {rows:,} rows, {unchanged} unchanged, {len(refused)} refused"
    if refused and not new:
        raise RefusedAtArrival("; ".join(refused))
    return Told(bool(new), message, new, refused)
