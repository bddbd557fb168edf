"""The order of the steps, the same for the command line and for Airflow: fetch or land, build, gate, publish.

`probe`, `fetch` and `land_inbox` are the steps that Airflow calls one by one: they return small plain data.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from expectations import alerts, gate
from expectations import notify as notices
from expectations import release as release_gate
from expectations.checks import Result
from ingest.archive import build_inputs
from ingest.archive import manifest as manifests
from ingest.fetch import fetching
from ingest.fetch.http import HttpClient
from ingest.inbox import collect as inbox
from ingest.registry import Source, all_sources, source
from ingest.sample import publishers
from ingest.sample.server import Count, SamplePublishers
from insights import review_sheets as decisions
from insights import theme_tables as themes
from perinatal import settings
from perinatal.console import say, step
from perinatal.durable import locked
from perinatal.errors import BlockedByGate
from perinatal.home import Home
from pipeline import fingerprint
from pipeline import shared_store as storage
from publish import changes, edition, packs, policy, portal, restricted
from publish.portal.model import Facts
from warehouse import builder


@dataclass(frozen=True)
class Built:
    """What a build came to: `published`, or `nothing_new` (the edition is the one that stood already)."""

    what: Literal["published", "nothing_new"]
    edition: Path
    warnings: int = 0
    changed_rows: int = 0


@dataclass(frozen=True)
class Fetched:
    """What a fetch came to: what became of the inbox, a report a source asked, and what the sample publishers sent."""

    dropped: list[inbox.Dropped]
    reports: list[fetching.Report]
    sample_traffic: Count | None = None

    @property
    def warnings(self) -> list[str]:
        """Return the lines that a person should read."""
        lines = [f"{item.source_id or 'inbox'}: {item.name}: left in the inbox: {item.left}" for item in self.amiss]
        lines += [f"{item.source_id}: {t.message}" for item in self.dropped for t in item.taken if t.what == "refused"]
        return lines + [f"{report.source_id}: {line}" for report in self.reports for line in report.warnings]

    @property
    def amiss(self) -> list[inbox.Dropped]:
        """Return what lies in the inbox and needs a person."""
        return [item for item in self.dropped if item.is_amiss]


def _chosen(source_ids: Sequence[str]) -> list[Source]:
    return [source(source_id) for source_id in source_ids] or list(all_sources().values())


def fetch_all(home: Home, mode: str, source_ids: Sequence[str] = ()) -> Fetched:
    """Look at the inbox, then ask the publishers of these sources (all, if none is named) in parallel.

    Mode `inbox` asks nobody, `live` the publishers themselves, `sample` the bundled ones on loopback.
    """
    sources = _chosen(source_ids)
    if mode == "sample":
        sources = [source for source in sources if publishers.has_sample(source)]
        with step("Sample publishers"):
            for one in sources:
                publishers.drop(home, one)
    dropped = _collect(home, source_ids)
    if mode == "inbox":
        storage.exchange(home)
        return Fetched(dropped, [])
    with _client(home, mode, sources) as (client, server):
        reports = []
        for report in fetching.fetch_all(home, client, sources, synthetic=mode == "sample"):
            say(f"  {report.source_id}: {report.message}")
            reports.append(report)
    reports.sort(key=lambda report: report.source_id)
    storage.exchange(home)
    return Fetched(dropped, reports, server.count() if server else None)


@contextmanager
def _client(home: Home, mode: str, sources: Sequence[Source]) -> Iterator[tuple[HttpClient, SamplePublishers | None]]:
    """Yield a client for the real publishers, or for the sample ones with their server."""
    if mode == "live":
        with HttpClient(fetching.live_options(home)) as client:
            yield client, None
        return
    with publishers.running(home, sources) as (server, options), HttpClient(options) as client:
        yield client, server


def _collect(home: Home, source_ids: Sequence[str]) -> list[inbox.Dropped]:
    dropped = inbox.collect(home, all_sources(), settings.get().inbox_quiet_seconds, source_ids)
    for item in dropped:
        for line in [t.message for t in item.taken] or [f"{item.name}: {item.left}"]:
            say(f"  inbox/{item.source_id}: {line}")
    return dropped


def land_inbox(home: Home, source_ids: Sequence[str] = ()) -> dict[str, Any]:
    """Land what lies in the inbox (of these sources); returns release keys and names as plain data."""
    dropped = _collect(home, source_ids)
    storage.exchange(home)
    taken = [table for item in dropped for table in item.taken]
    keys = {what: [t.release_key for t in taken if t.what == what] for what in ("landed", "revised")}
    return {
        **keys,
        "unchanged": sum(table.what == "unchanged" for table in taken),
        "refused": [vars(table) for table in taken if table.what == "refused"],
        "left": [{"source": i.source_id, "name": i.name, "why": i.left} for i in dropped if i.left],
    }


def fetch(home: Home, source_id: str, mode: str = "live") -> dict[str, Any]:
    """Ask one publisher what is new and land it; returns the outcome, counts and release keys as plain data."""
    one = source(source_id)
    with _client(home, mode, [one]) as (client, _):
        report = fetching.fetch(home, client, one, synthetic=mode == "sample")
    storage.exchange(home)
    return report.to_dict()


def probe(home: Home, source_id: str, mode: str = "live") -> dict[str, Any]:
    """Ask one publisher whether there is anything new, and land nothing; plain data with `changed` and `message`."""
    one = source(source_id)
    with _client(home, mode, [one]) as (client, _):
        return fetching.look(home, client, one, synthetic=mode == "sample")


def build(home: Home, *, force: bool = False) -> Built:
    """Build everything landed into a candidate, gate it, and publish it as the current edition.

    One builder at a time: a second one waits, then finds nothing new. Raises BlockedByGate when a standard of
    severity `block` is not met; the last good edition stays current and an alert stands. With a shared store, what
    others have landed is built too, and the edition is shared.
    """
    storage.exchange(home)
    built = _build_if_new(home, force)
    storage.share_edition(home)
    return built


def _build_if_new(home: Home, force: bool) -> Built:
    with locked(home.root / ".build.lock"):
        for line in decisions.take_inbox(home, datetime.now(UTC).date(), settings.get().inbox_quiet_seconds):
            say(f"  {line}")
        releases = manifests.in_use(home)
        parts = fingerprint.parts(releases, home.theme_decisions)
        mark = fingerprint.whole(parts)
        standing = edition.current(home)
        if standing and not force and edition.info(standing)["fingerprint"] == mark:
            return Built("nothing_new", standing)
        _remove_stale(home)
        run = home.build / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}"
        # the working file holds what disclosure and audience keep out of the edition
        run.mkdir(parents=True, mode=0o700)
        built = _build(home, run, releases, parts, standing)
        shutil.rmtree(run)
        edition.prune(home, settings.get().keep_editions)
        return built


def _remove_stale(home: Home) -> None:
    """Remove what killed or blocked builds have left; the lock proves that none of it is in use."""
    for folder in (*home.build.glob("*"), *edition.unpublished(home)):
        shutil.rmtree(folder)
    for left in (*home.landed.glob(".landing-*"), *home.archive.glob(".incoming-*"), *home.archive.glob(".member-*")):
        if datetime.now(UTC).timestamp() - left.stat().st_mtime > 24 * 3600:
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def _build(
    home: Home, run: Path, releases: list[manifests.Manifest], parts: dict[str, str], standing: Path | None
) -> Built:
    with step(f"Building {len(releases)} release(s)"):
        candidate = builder.build(
            run, home.cache / "dbt", build_inputs.layouts(), build_inputs.releases(home, releases)
        )
        themes.run(candidate, home)
        comparable = standing if standing and _same_kind(standing, releases) else None
        changed = changes.record(candidate, comparable)
    with step("Gate"):
        results = release_gate.judge(candidate, run / "work.duckdb", comparable and comparable / edition.DATABASE)
        alerts.AlertLog(home.alerts).reconcile("release", [result.as_breach() for result in results if result.is_told])
        results += _judge_today(home, candidate)
        blocked = [result for result in results if result.blocks]
        if blocked:
            raise _blocked(blocked, run)
        arrivals = _arrival_results(releases)
        edition.write_checks(candidate, [*results, *(result for group in arrivals.values() for result in group)])
        edition.write_alerts(candidate, [alert.to_dict() for alert in alerts.AlertLog(home.alerts).all()])
        _data_docs(run, results, arrivals)
    facts = _facts(parts, releases, results)
    with step("Downloads and packs"):
        edition.write_downloads(candidate, run / "downloads")
        packs.write_all(candidate, run / "downloads" / "lms", facts, settings.get().threads or os.cpu_count() or 1)
    with step("Pages"):
        portal.write(candidate, run / "portal", _said(home, facts))
    with step("Publishing"):
        contents = {edition.DATABASE: candidate} | {name: run / name for name in ("downloads", "portal", "quality")}
        kept_apart = restricted.write(run / "restricted", run / "work.duckdb", candidate)
        if kept_apart:
            contents["restricted"] = kept_apart
        published = edition.publish(home, run, contents, facts)
    return Built("published", published, sum(result.is_told for result in results), changed)


def _judge_today(home: Home, database: Path) -> list[Result]:
    """Hold what time alone can breach against today's date, and bring its alerts up to date."""
    results = release_gate.judge_today(database)
    alerts.AlertLog(home.alerts).reconcile("daily", [result.as_breach() for result in results if result.is_told])
    return results


def _same_kind(standing: Path, releases: list[manifests.Manifest]) -> bool:
    """Tell whether the last edition may be compared with: sample and real editions never are."""
    return bool(edition.info(standing)["is_synthetic"]) == all(item.is_synthetic for item in releases)


def _facts(parts: dict[str, str], releases: list[manifests.Manifest], results: list[Result]) -> dict[str, Any]:
    mark = fingerprint.whole(parts)
    return edition.identity(mark) | {
        "fingerprint": mark,
        "fingerprint_parts": parts,
        "is_synthetic": bool(releases) and all(item.is_synthetic for item in releases),
        "releases": sorted(item.release_key for item in releases),
        "checks": len(results),
        "warnings": sorted(result.rule for result in results if result.is_told),
    }


def _said(home: Home, facts: dict[str, Any]) -> Facts:
    """Return what the pages say of the edition, with those before it."""
    return Facts(
        facts["edition_id"],
        facts["published_at"],
        facts["is_synthetic"],
        settings.get().portal_url,
        (facts, *edition.history(home)),
    )


def _arrival_results(releases: list[manifests.Manifest]) -> dict[str, list[Result]]:
    return {
        item.release_key: gate.with_release([Result(**check) for check in item.checks], item.release_key)
        for item in releases
    }


def _data_docs(run: Path, results: list[Result], arrivals: dict[str, list[Result]]) -> None:
    """Write GX Data Docs: the release gate, and each dataset's arrival suite with a row a release."""
    suites: dict[str, list[list[Result]]] = {"release": [results]} if results else {}
    for group in arrivals.values():
        if group:
            suites.setdefault(group[0].suite, []).append(group)
    (run / "quality").mkdir()
    with tempfile.TemporaryDirectory(dir=run) as folder:
        gate.write_docs(Path(folder), suites)
        site = next(Path(folder).glob("**/data_docs/local_site"))
        site.rename(run / "quality" / "data_docs")
    policy.seal(run / "quality" / "data_docs")


def _blocked(blocked: list[Result], run: Path) -> BlockedByGate:
    first, more = blocked[0], len(blocked) - 1
    return BlockedByGate(
        f"blocked by the release gate ({first.rule}): {first.message}"
        + (f" (and {more} more)" if more else "")
        + f". {first.remedy} No edition was published; the last good one stays. The candidate lies in {run}."
    )


def notify(home: Home, *, digest: bool) -> list[notices.Sent]:
    """Send what people have not heard of yet: `block` at once, with `digest` the rest too."""
    options = settings.get()
    standing = edition.current(home)
    if standing and digest:
        _judge_today(home, standing / edition.DATABASE)
    channels = [notices.Channel(url) for url in options.alert_urls]
    channels += [notices.Channel(url, lms) for lms, urls in sorted(options.lms_alert_urls.items()) for url in urls]
    return notices.notify(alerts.AlertLog(home.alerts), channels, digest=digest, portal_url=options.portal_url)


def refresh(home: Home, mode: str, sources: Sequence[str] = ()) -> tuple[Fetched, Built]:
    """Fetch and build in one go. Raises BlockedByGate, with everything fetched, landed and told all the same."""
    fetched = fetch_all(home, mode, sources)
    for line in fetched.warnings:
        say(f"warning: {line}")
    return fetched, build(home)
