"""The steps that look after an installation: alerts to people, old editions, the archive, failed tasks."""

from __future__ import annotations

import itertools
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from expectations import notify as deliveries
from expectations.alerts import AlertLog, Breach, Scope
from expectations.care import CareNotice
from ingest.archive import build_inputs, verification
from ingest.archive.manifest import LandedReleases
from ingest.archive.store import Archive
from perinatal import settings
from perinatal.durable import locked
from perinatal.errors import Damaged
from perinatal.home import Home
from pipeline import metrics, service
from pipeline.outcome import Outcome
from pipeline.release_judgement import judge_today
from publish import edition, portal
from publish.edition import Editions
from warehouse import kept as observations

TASK_REMEDY = "Read the task's log in Airflow; the task runs again at its next time, or clear it to run it now."
RUN_REMEDY = (
    "Look at the run in Airflow: its first task shown as skipped is the one that did not finish; read its log. "
    "The DAG runs again at its next time, or trigger it to run it now."
)


@dataclass(frozen=True)
class Notified(Outcome):
    """What was sent to each channel."""

    sent: tuple[deliveries.Sent, ...] = ()


def notify(home: Home, *, digest: bool) -> Notified:
    """Send alerts and news of care that were not sent yet; what a channel did not take, the next run sends again."""
    options = settings.get()
    editions = Editions.of(home)
    standing = editions.current()
    log = AlertLog(home.alerts)
    if standing and digest:
        judge_today(log, standing / edition.DATABASE)
    channels = [deliveries.Channel(url) for url in options.alert_urls]
    channels += [deliveries.Channel(url, lms) for lms, urls in sorted(options.lms_alert_urls.items()) for url in urls]
    news = [CareNotice.read(one["edition_id"], record) for one in editions.history() for record in one.get("care", [])]
    pages = portal.alert_pages(standing) if standing else {}
    sent = deliveries.notify(log, channels, digest=digest, portal_url=options.portal_url, pages=pages, news=news)
    count = sum(item.alerts for item in sent)
    metrics.write(home)
    message = f"{count} alert(s) sent to {len(sent)} channel(s)"
    silent = tuple(
        f"{item.channel} did not take its alerts; check the channel and its address" for item in sent if item.failed
    )
    return Notified(count > 0, "; ".join([message, *silent]), silent, sent=tuple(sent))


def prune(home: Home) -> Outcome:
    """Remove editions beyond those that the settings keep, logs older than they say, and observations out of use."""
    options, landed = settings.get(), LandedReleases(home.landed)
    with locked(home.root / ".build.lock"):
        removed = Editions.of(home).prune(options.keep_editions)
        in_use = build_inputs.releases(landed, landed.in_use())
        replaced = observations.prune(home.observations, in_use, build_inputs.layouts())
    kept = len(list(home.editions.glob("*")))
    logs = _remove_old_logs(service.log_folder(home), options.keep_log_days)
    metrics.write(home)
    said = [
        f"{len(removed)} edition(s) removed, {kept} kept",
        f"{logs} log(s) older than {options.keep_log_days} days removed",
        f"observations of {replaced} release(s) out of use removed",
    ]
    return Outcome(bool(removed or logs or replaced), "; ".join(said))


def _remove_old_logs(folder: Path, days: int) -> int:
    """Remove the logs of tasks that nobody has written to for so many days, and the folders that are then empty."""
    before = time.time() - days * 86_400
    old = [path for path in folder.glob("dag_id=*/**/*.log") if path.stat().st_mtime < before]
    for path in old:
        path.unlink()
        for above in itertools.takewhile(lambda one: one != folder, path.parents):
            if any(above.iterdir()):
                break
            above.rmdir()
    return len(old)


def verify(home: Home) -> Outcome:
    """Hash the archive again and compare it with the manifests; damage opens an alert until all is whole."""
    landed = LandedReleases(home.landed)
    damage = tuple(verification.damage(Archive(home.archive), landed))
    AlertLog(home.alerts).reconcile(scope := Scope.of("archive"), [_damage(damage)] if damage else [])
    if damage:
        message = f"{len(damage)} finding(s): {'; '.join(damage[:3])}"
        return Outcome(False, message, damage, Damaged, alerted=(str(scope),))
    files = sum(1 for _ in home.archive.glob("??/*"))
    message = f"{files} archived file(s), {len(landed.manifest_files())} manifest(s): all whole"
    if unhashed := verification.unhashed(landed):
        message += f"; {unhashed} manifest(s) of an older version have no hash of their content: only rows were counted"
    return Outcome(True, message)


def _damage(damage: tuple[str, ...]) -> Breach:
    return Breach(
        rule="archive_is_whole",
        severity="block",
        message=f"{len(damage)} finding(s), first: {damage[0]}",
        count=len(damage),
        sample_rows=[{"finding": line} for line in damage[:20]],
        remedy="Restore the files from a backup, then run `perinatal verify`.",
    )


def task_failed(home: Home, scope: str, reason: str, *, alerted: Collection[str] = ()) -> None:
    """Open an alert for a task that has failed for good, and send it.

    None is opened where all the scopes of `alerted`, which are said to have one for its reason, do have one.
    """
    log = AlertLog(home.alerts)
    standing = {str(alert.scope) for alert in log.all() if alert.state != "closed"}
    if not alerted or not standing.issuperset(alerted):
        log.reconcile(Scope.read(scope), [Breach("task_failed", "block", reason, remedy=TASK_REMEDY)])
    notify(home, digest=False)


def run_ended(home: Home, scope: str, reason: str) -> None:
    """Open an alert for a run that ended before its tasks had finished; send it."""
    AlertLog(home.alerts).reconcile(Scope.read(scope), [Breach("run_ended_early", "block", reason, remedy=RUN_REMEDY)])
    notify(home, digest=False)


def task_succeeded(home: Home, scope: str) -> None:
    """Close the alert of a task, or of a whole run, that has come to its end or had nothing to do."""
    AlertLog(home.alerts).reconcile(Scope.read(scope), [])
