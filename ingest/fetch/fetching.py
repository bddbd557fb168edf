"""Fetching: each publisher is asked what is new, what is new is landed, and the outcome is reported.

Driven by the `probe:` block of each source.yml alone (`probe_settings.py`). Sources run in parallel and know nothing of
each other: one that fails leaves an alert, and the next run recovers by itself.
"""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, get_args

from expectations import alerts
from ingest.fetch import probe_state
from ingest.fetch.hosts import hosts_of
from ingest.fetch.http import BadResponse, HttpClient, HttpError, HttpOptions, PublisherUnavailable
from ingest.fetch.probe import probe
from ingest.fetch.probe_state import ProbeState
from ingest.fetch.routes import BY_HAND, ROUTES, Job
from ingest.land.intake import Taken
from ingest.registry import Source
from ingest.stores import FetchStores
from perinatal import settings
from perinatal.durable import locked
from perinatal.errors import PerinatalError
from perinatal.errors_in_words import in_words

WORKERS: Final = 8
NOT_PROCESSED: Final = "not_processed"
NOT_ASKED: Final = "nothing is asked of this publisher; its files are brought by hand"

Outcome = Literal["failed", "refused", "needs_person", "landed", "revised", "no_data", "unchanged"]
GRAVEST_FIRST: Final[tuple[Outcome, ...]] = get_args(Outcome)


@dataclass(frozen=True)
class Report:
    """What came of one source. `outcome` is what matters most; `warnings` are lines for people.

    `alerted` has the scopes of the alerts that are open for what failed or was refused.
    """

    source_id: str
    outcome: Outcome
    message: str
    taken: tuple[Taken, ...] = ()
    unchanged: int = 0
    no_data: int = 0
    warnings: tuple[str, ...] = ()
    alerted: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: counts, release keys, lines."""
        keys = {what: [t.release_key for t in self.taken if t.what == what] for what in ("landed", "revised")}
        refused = [
            {"name": t.name, "sha256": t.sha256, "message": t.message} for t in self.taken if t.what == "refused"
        ]
        return {
            "source": self.source_id,
            "outcome": self.outcome,
            "message": self.message,
            **keys,
            "unchanged": self.unchanged + sum(t.what == "unchanged" for t in self.taken),
            "refused": refused,
            "no_data": self.no_data,
            "warnings": list(self.warnings),
        }


def live_options(lock_folder: Path) -> HttpOptions:
    """Return how real publishers are asked, as the settings say; one connection a host across all processes."""
    typed = settings.get()
    return HttpOptions(
        contact=typed.contact,
        ca_bundle=typed.ca_bundle,
        max_bytes=typed.download_max_bytes,
        total_timeout=typed.download_seconds,
        lock_folder=lock_folder,
    )


def fetch_all(
    stores: FetchStores, client: HttpClient, sources: Iterable[Source], *, synthetic: bool = False
) -> Iterator[Report]:
    """Fetch several sources in parallel; yields each report as it comes."""
    watched = [source for source in sources if source.probe]
    yield from _in_parallel(lambda source: fetch(stores, client, source, synthetic=synthetic), watched)


def fetch(stores: FetchStores, client: HttpClient, source: Source, *, synthetic: bool = False) -> Report:
    """Ask one publisher what is new and land it. Never raises for what one source can do wrong."""
    if not source.probe:
        return Report(source.id, "unchanged", NOT_ASKED)
    path = stores.probes.path_of(source.id, synthetic=synthetic)
    scope = scope_of(source.id, synthetic=synthetic)
    try:
        with locked(path.with_name(f".{source.id}.lock")):
            state = probe_state.load(path)
            job = _job(stores, client, source, state, path, synthetic=synthetic)
            _run(job)
            report = _report(job)
            state.probed_at = datetime.now(UTC).isoformat(timespec="seconds")
            state.outcome, state.message = report.outcome, report.message
            probe_state.save(path, state)
            stores.alerts.reconcile(scope, _merged(job.breaches))
    except Exception as error:
        # whatever is wrong with one source is reported, and must not keep the others from landing
        kind = "" if isinstance(error, PerinatalError) else f"unexpected {type(error).__name__}: "
        what = in_words(error) or f"{kind}{error}"
        breach = alerts.Breach(NOT_PROCESSED, "warn", f"{source.id}: {what}", remedy="Mend it; run fetch again.")
        stores.alerts.reconcile(scope, [breach])
        return Report(source.id, "failed", breach.message, warnings=(breach.message,), alerted=(str(scope),))
    return report


def look(stores: FetchStores, client: HttpClient, source: Source, *, synthetic: bool = False) -> dict[str, Any]:
    """Ask one publisher whether there is anything to do, and do nothing. Raises PublisherUnavailable or BadResponse."""
    state = probe_state.load(stores.probes.path_of(source.id, synthetic=synthetic))
    watched = source.probe
    if watched is None:
        return {"source": source.id, "changed": False, "message": NOT_ASKED}
    result = probe(client.within(hosts_of(source)), watched.spec, state.token)
    is_open = bool(state.waiting) or state.outcome in ("failed", "refused")
    message = f"{result.message}; the last run left something to do" if is_open else result.message
    return {"source": source.id, "changed": result.changed or is_open, "message": message}


def scope_of(source_id: str, *, synthetic: bool) -> alerts.Scope:
    """Name what a fetch's alerts are about; the sample publishers' troubles are not the real ones'."""
    return alerts.Scope.of("fetch-sample" if synthetic else "fetch", source_id)


def _job(
    stores: FetchStores, client: HttpClient, source: Source, state: ProbeState, path: Path, *, synthetic: bool
) -> Job:
    watched = source.probe
    if watched is None:
        raise PerinatalError(f"{source.id}: {NOT_ASKED}")
    stores.archive.root.mkdir(parents=True, exist_ok=True)
    return Job(
        stores,
        client.within(hosts_of(source)),
        source,
        watched,
        state,
        lambda: probe_state.save(path, state),
        synthetic,
    )


def _run(job: Job) -> None:
    try:
        ROUTES[job.watch.arrives](job)
    except HttpError as error:
        job.fail(error)


def _merged(breaches: Iterable[alerts.Breach]) -> list[alerts.Breach]:
    """Return one breach a rule: the first, with the number of all."""
    merged: dict[str, alerts.Breach] = {}
    for breach in breaches:
        first = merged.get(breach.rule)
        merged[breach.rule] = replace(first, count=first.count + breach.count) if first else breach
    return list(merged.values())


def _report(job: Job) -> Report:
    """Sum up a run: its gravest outcome, its counts in words, what a person should read."""
    calls = sum(breach.rule == BY_HAND for breach in job.breaches)
    counts: Counter[Outcome] = Counter(table.what for table in job.taken)
    counts.update(unchanged=job.unchanged, no_data=job.no_data, refused=job.refused)
    counts.update(needs_person=calls, failed=len(job.breaches) - calls)
    outcome: Outcome = next((what for what in GRAVEST_FIRST if counts[what]), "unchanged")
    listed = ", ".join(f"{counts[what]} {what.replace('_', ' ')}" for what in GRAVEST_FIRST if counts[what])
    grave = [_line(breach) for breach in _merged(job.breaches)]
    grave += [table.message for table in job.taken if table.what == "refused"]
    first = (grave or [job.news])[0]
    message = first if outcome in ("unchanged", "needs_person") else f"{listed}; {first}"
    alerted = job.alerted.union(*(table.alerted for table in job.taken))
    if job.breaches:
        alerted.add(str(scope_of(job.source.id, synthetic=job.synthetic)))
    return Report(
        job.source.id,
        outcome,
        message,
        tuple(job.taken),
        job.unchanged,
        job.no_data,
        tuple(dict.fromkeys(grave + job.warnings)),
        tuple(sorted(alerted)),
    )


def _line(breach: alerts.Breach) -> str:
    if breach.rule == BY_HAND:
        return f"{breach.message}. {breach.remedy}"
    return f"{breach.message} (and {breach.count - 1} more)" if breach.count > 1 else breach.message


def _in_parallel(work: Callable[[Source], Report], sources: list[Source]) -> Iterator[Report]:
    """Run `work` on each source in a few threads. They end with the process: landing survives a kill at any moment."""
    todo: queue.SimpleQueue[Source] = queue.SimpleQueue()
    done: queue.SimpleQueue[Report | BaseException] = queue.SimpleQueue()
    for source in sources:
        todo.put(source)

    def worker() -> None:
        while not todo.empty():
            try:
                done.put(work(todo.get_nowait()))
            except queue.Empty:
                return
            except BaseException as error:
                done.put(error)

    for _ in range(min(WORKERS, len(sources))):
        threading.Thread(target=worker, daemon=True).start()
    for _ in sources:
        found = done.get()
        if isinstance(found, BaseException):
            raise found
        yield found


# --- what a person asks -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Checked:
    """What came of trying a source's real address."""

    source_id: str
    address: str
    found: Literal["reachable", "changed", "refused", "not reachable from here", "not asked"]
    message: str


def check_all(stores: FetchStores, client: HttpClient, sources: Iterable[Source]) -> list[Checked]:
    """Try the real address of each source, one after the other; nothing is landed or remembered."""
    return [check(stores, client, source) for source in sources]


def check(stores: FetchStores, client: HttpClient, source: Source) -> Checked:
    """Try one source's real address and say honestly what came of it."""
    watched = source.probe
    address = watched.spec.url if watched else source.page
    if not address.startswith(("http://", "https://")):
        return Checked(source.id, address, "not asked", "there is no address; its files are brought by hand")
    client = client.within(hosts_of(source))
    try:
        if watched is None:
            client.read(address)
            return Checked(source.id, address, "reachable", "the page answers; its files are brought by hand")
        last = probe_state.load(stores.probes.path_of(source.id, synthetic=False)).token
        result = probe(client, watched.spec, last | {"etag": None, "last_modified": None})
    except BadResponse as error:
        return Checked(source.id, address, "refused", str(error))
    except PublisherUnavailable as error:
        return Checked(source.id, address, "refused" if error.status else "not reachable from here", str(error))
    has_news = bool(last) and result.changed
    return Checked(source.id, address, "changed" if has_news else "reachable", result.message)


def dismiss(stores: FetchStores, source: Source, who: str, why: str) -> bool:
    """Close a request for a person where there was no file to fetch. Returns False where none was open."""
    path = stores.probes.path_of(source.id, synthetic=False)
    with locked(path.with_name(f".{source.id}.lock")):
        state = probe_state.load(path)
        if not state.waiting:
            return False
        stores.audit.record("dismissed", who, why, source_id=source.id, waiting=state.waiting)
        state.token, state.latest, state.waiting = state.latest, {}, None
        state.outcome, state.message = "unchanged", f"{who} has seen it: {why}"
        probe_state.save(path, state)
        stores.alerts.reconcile(scope_of(source.id, synthetic=False), [])
    return True
