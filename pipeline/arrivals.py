"""The steps that bring releases in: probe, fetch, the inbox, and files that a person names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ingest.archive import manifest as manifests
from ingest.archive.synthetic import SyntheticHashes
from ingest.fetch import fetching
from ingest.fetch.http import HttpClient
from ingest.inbox import collect as inbox
from ingest.land import intake
from ingest.land.arriving_file import Arrival
from ingest.registry import Source, all_sources, source
from ingest.sample import publishers
from ingest.sample.server import Count, SamplePublishers
from ingest.stores import FetchStores, Stores
from perinatal import settings
from perinatal.console import say, step
from perinatal.errors import Damaged, PerinatalError, RefusedAtArrival
from perinatal.home import Home
from pipeline import metrics, shared_store, upgrade
from pipeline.outcome import Outcome
from publish import edition
from publish.edition import Editions

# what a source's outcome counts as, the gravest first
FAILURES = {"failed": PerinatalError, "refused": RefusedAtArrival}
NOT_IN_INBOX_MODE = "no publisher was asked: PERINATAL_MODE is inbox, so only files in the inbox are landed"


@dataclass(frozen=True)
class Waiting:
    """What is landed of one source and in no edition yet."""

    source: str
    releases: tuple[str, ...]
    rows: int


@dataclass(frozen=True)
class Arrivals(Outcome):
    """What came in: a report for each publisher asked, what became of each file, what waits for the next edition."""

    reports: tuple[fetching.Report, ...] = ()
    dropped: tuple[inbox.Dropped, ...] = ()
    taken: tuple[intake.Taken, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    warnings: tuple[str, ...] = ()
    sample_traffic: Count | None = None

    def events(self) -> list[dict[str, Any]]:
        """Return what the asset events of the sources say."""
        return [asdict(entry) for entry in self.waiting]


def probe(home: Home, mode: str, source_id: str) -> Outcome:
    """Ask one publisher whether there is anything new. The sample's files by hand are dropped as a person would."""
    one = source(source_id)
    if mode == "inbox":
        return Outcome(False, NOT_IN_INBOX_MODE)
    if mode == "sample":
        if not publishers.has_sample(one):
            return Outcome(False, "no sample is made for this source")
        publishers.drop(home.cache, FetchStores.of(home), one)
    with _client(home, mode, [one]) as (client, _):
        found = fetching.look(FetchStores.of(home), client, one, synthetic=mode == "sample")
    return Outcome(found["changed"], found["message"])


def fetch(home: Home, mode: str, source_ids: Sequence[str]) -> Arrivals:
    """Ask the publishers of these sources in parallel: the real ones (`live`) or the bundled ones (`sample`)."""
    sources = [source(source_id) for source_id in source_ids] or list(all_sources().values())
    if mode == "inbox":
        return Arrivals(False, NOT_IN_INBOX_MODE)
    upgrade.prepare(home)
    if mode == "sample":
        sources = [one for one in sources if publishers.has_sample(one)]
    reports = []
    with _client(home, mode, sources) as (client, server):
        for report in fetching.fetch_all(FetchStores.of(home), client, sources, synthetic=mode == "sample"):
            say(f"  {report.source_id}: {report.message}", source=report.source_id)
            reports.append(report)
    exchanged = shared_store.exchange(home)
    metrics.write(home)
    reports.sort(key=lambda report: report.source_id)
    waiting = unpublished(home, {one.id for one in sources})
    failed = [report for report in reports if report.outcome in FAILURES]
    outcomes = {report.outcome for report in failed}
    return Arrivals(
        changed=bool(waiting),
        message=("; ".join(report.message for report in reports) or fetching.NOT_ASKED) + _counted(waiting),
        problems=(*(line for report in failed for line in report.warnings), *exchanged.problems),
        failure=next((kind for outcome, kind in FAILURES.items() if outcome in outcomes), Damaged),
        alerted=(*(scope for report in failed for scope in report.alerted), *exchanged.alerted),
        damage=exchanged.problems,
        reports=tuple(reports),
        waiting=waiting,
        warnings=tuple(f"{report.source_id}: {line}" for report in reports for line in report.warnings),
        sample_traffic=server.count() if server else None,
    )


def drop_samples(home: Home, source_ids: Sequence[str]) -> None:
    """Put the sample releases that arrive by hand into the inbox, as a person would."""
    with step("Sample publishers"):
        for one in [source(source_id) for source_id in source_ids] or all_sources().values():
            if publishers.has_sample(one):
                publishers.drop(home.cache, FetchStores.of(home), one)


def land_inbox(home: Home, source_ids: Sequence[str]) -> Arrivals:
    """Land what lies in the inbox of these sources (of all, if none is named)."""
    upgrade.prepare(home)
    dropped = inbox.collect(FetchStores.of(home), all_sources(), settings.get().inbox_quiet_seconds, source_ids)
    for item in dropped:
        for line in [table.message for table in item.taken] or [f"{item.name}: {item.left}"]:
            say(f"  inbox/{item.source_id}: {line}", source=item.source_id)
    taken = [(item.source_id, table) for item in dropped for table in item.taken]
    counts = {what: sum(table.what == what for _, table in taken) for what in ("landed", "revised", "refused")}
    counts |= {"left": sum(bool(item.left) for item in dropped)}
    counts |= {"unchanged": sum(table.what == "unchanged" for _, table in taken)}
    stuck = [item for item in dropped if item.needs_person]
    warnings = [f"{item.source_id or 'inbox'}: {item.name}: left in the inbox: {item.left}" for item in stuck]
    warnings += [f"{source_id}: {table.message}" for source_id, table in taken if table.what == "refused"]
    return _landed(
        home,
        f"inbox: {', '.join(f'{count} {name}' for name, count in counts.items())}",
        [table for _, table in taken],
        source_ids,
        dropped=tuple(dropped),
        warnings=tuple(warnings),
    )


def land_files(home: Home, files: Sequence[tuple[Path, Arrival]]) -> Arrivals:
    """Land files that a person names; a refused one, or one that cannot be read, does not keep the others out."""
    upgrade.prepare(home)
    taken: list[intake.Taken] = []
    failed: list[str] = []
    for file, arrival in files:
        try:
            taken += intake.take_file(Stores.of(home), file, arrival)
        except PerinatalError as error:
            failed.append(str(error))
    names = f"{len(files)} file(s)"
    # who names the files may read them: what quotes them is for this terminal, and for no log
    return _landed(home, names, taken, [arrival.source.id for _, arrival in files], failed, is_in_full=True)


def _landed(
    home: Home,
    message: str,
    taken: Sequence[intake.Taken],
    source_ids: Sequence[str],
    failed: Sequence[str] = (),
    is_in_full: bool = False,
    **more: Any,
) -> Arrivals:
    exchanged = shared_store.exchange(home)
    if taken:
        metrics.write(home)
    waiting = unpublished(home, set(source_ids))
    refused = [table for table in taken if table.what == "refused"]
    alerted = (*(scope for table in refused for scope in table.alerted), *exchanged.alerted)
    return Arrivals(
        changed=bool(waiting),
        message=message + _counted(waiting),
        problems=(
            *failed,
            *((table.in_full if is_in_full else table.message) for table in refused),
            *exchanged.problems,
        ),
        failure=RefusedAtArrival if refused else PerinatalError if failed else Damaged,
        alerted=() if failed else alerted,  # nobody has opened one for a file that a person named
        damage=exchanged.problems,
        taken=tuple(taken),
        waiting=waiting,
        **more,
    )


@contextmanager
def _client(home: Home, mode: str, sources: Sequence[Source]) -> Iterator[tuple[HttpClient, SamplePublishers | None]]:
    """Yield a client for the real publishers, or for the sample ones with their server."""
    if mode == "live":
        with HttpClient(fetching.live_options(home.cache / "hosts")) as client:
            yield client, None
        return
    with (
        publishers.running(home.cache, SyntheticHashes(home.synthetic), sources) as (server, options),
        HttpClient(options) as client,
    ):
        yield client, server


def unpublished(home: Home, source_ids: set[str]) -> tuple[Waiting, ...]:
    """Return what is landed and in no edition yet, of these sources (of all, if none is named).

    Looked up and not handed on: what a landing that was killed could not report is reported by the next one.
    """
    standing = Editions.of(home).current()
    facts = edition.info(standing) if standing else {}
    known, again = set(facts.get("releases", [])), facts.get("landed_again", {})
    found: dict[str, list[manifests.Manifest]] = {}
    for item in manifests.LandedReleases(home.landed).in_use():
        is_new = item.release_key not in known or (item.is_again and again.get(item.release_key) != item.fetched_at)
        if is_new and (not source_ids or item.source_id in source_ids):
            found.setdefault(item.source_id, []).append(item)
    return tuple(
        Waiting(
            source_id,
            tuple(f"{item.dataset} {item.release} (revision {item.revision})" for item in items),
            sum(item.rows_in for item in items),
        )
        for source_id, items in sorted(found.items())
    )


def _counted(waiting: Sequence[Waiting]) -> str:
    releases, rows = sum(len(entry.releases) for entry in waiting), sum(entry.rows for entry in waiting)
    return f"; {releases} release(s) with {rows:,} rows wait for the next edition" if waiting else ""
