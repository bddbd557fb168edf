"""The order of the steps, the same for the command line and for Airflow: fetch or land, build, gate, publish."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from expectations import alerts, gate
from expectations import notify as notices
from expectations import release as release_gate
from expectations.checks import Result
from ingest import landing
from ingest import manifest as manifests
from ingest.registry import all_sources
from perinatal import home as homes
from perinatal import settings
from perinatal.console import say, step
from perinatal.errors import BlockedByGate
from perinatal.home import Home
from publish import changes, edition, packs, policy, portal, warehouse
from publish.portal.model import Facts


@dataclass(frozen=True)
class Built:
    """What a build came to: `published`, or `nothing_new` (the edition is the one that stood already)."""

    what: Literal["published", "nothing_new"]
    edition: Path
    warnings: int = 0
    changed_rows: int = 0


def land_sample(home: Home, sources: Sequence[str] = ()) -> list[landing.Outcome]:
    """Generate the bundled synthetic releases and land them through the same path as real files."""
    outcomes = []
    for source in all_sources().values():
        if sources and source.id not in sources:
            continue
        with tempfile.TemporaryDirectory() as folder:
            source.sample.generate(Path(folder))
            for path in sorted(Path(folder).iterdir()):
                arrival = landing.Arrival(source, path.name, is_synthetic=True)
                outcomes.append(landing.land(home, path, arrival))
    return outcomes


def build(home: Home, *, force: bool = False) -> Built:
    """Build everything landed into a candidate, gate it, and publish it as the current edition.

    One builder at a time: a second one waits, then finds nothing new. Raises BlockedByGate when a standard of
    severity `block` is not met; the last good edition stays current and an alert stands.
    """
    with homes.locked(home.root / ".build.lock"):
        releases = manifests.in_use(home)
        mark = edition.fingerprint(releases)
        standing = edition.current(home)
        if standing and not force and edition.info(standing)["fingerprint"] == mark:
            return Built("nothing_new", standing)
        _remove_stale(home)
        run = home.build / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}"
        run.mkdir(parents=True)
        built = _build(home, run, releases, mark, standing)
        shutil.rmtree(run)
        edition.prune(home, settings.get().keep_editions)
        return built


def _remove_stale(home: Home) -> None:
    """Remove what killed or blocked builds have left; the lock proves that none of it is in use."""
    for folder in home.build.glob("*"):
        shutil.rmtree(folder)
    for folder in home.landed.glob(".landing-*"):
        if datetime.now(UTC).timestamp() - folder.stat().st_mtime > 24 * 3600:
            shutil.rmtree(folder, ignore_errors=True)


def _build(home: Home, run: Path, releases: list[manifests.Manifest], mark: str, standing: Path | None) -> Built:
    with step(f"Building {len(releases)} release(s)"):
        candidate = warehouse.build(home, run, releases)
        comparable = standing if standing and _same_kind(standing, releases) else None
        changed = changes.record(candidate, comparable)
    with step("Gate"):
        results = release_gate.judge(candidate, run / "work.duckdb", comparable and comparable / edition.DATABASE)
        alerts.reconcile(home, "release", [result.as_breach() for result in results if result.is_told])
        blocked = [result for result in results if result.blocks]
        if blocked:
            raise _blocked(blocked, run)
        arrivals = _arrival_results(releases)
        edition.write_checks(candidate, [*results, *(result for group in arrivals.values() for result in group)])
        edition.write_alerts(candidate, [alert.to_dict() for alert in alerts.all_alerts(home)])
        _data_docs(run, results, arrivals)
    facts = edition.identity(mark) | _facts(mark, releases, results)
    with step("Downloads and packs"):
        edition.write_downloads(candidate, run / "downloads")
        packs.write_all(candidate, run / "downloads" / "lms", facts, settings.get().threads or os.cpu_count() or 1)
    with step("Pages"):
        portal.write(candidate, run / "portal", _said(home, facts))
    with step("Publishing"):
        contents = {edition.DATABASE: candidate} | {name: run / name for name in ("downloads", "portal", "quality")}
        published = edition.publish(home, run, contents, facts)
    return Built("published", published, sum(result.is_told for result in results), changed)


def _same_kind(standing: Path, releases: list[manifests.Manifest]) -> bool:
    """Tell whether the last edition may be compared with: sample and real editions never are."""
    return bool(edition.info(standing)["is_synthetic"]) == all(item.is_synthetic for item in releases)


def _facts(mark: str, releases: list[manifests.Manifest], results: list[Result]) -> dict[str, Any]:
    return {
        "fingerprint": mark,
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
    channels = [notices.Channel(url) for url in options.alert_urls]
    channels += [notices.Channel(url, lms) for lms, urls in sorted(options.lms_alert_urls.items()) for url in urls]
    return notices.notify(home, channels, digest=digest)


def refresh(home: Home, mode: str, sources: Sequence[str] = ()) -> tuple[list[landing.Outcome], list[str], Built]:
    """Fetch and build in one go. Returns what was landed, what was refused, and the build."""
    outcomes: list[landing.Outcome] = []
    refused: list[str] = []
    if mode == "sample":
        with step("Sample releases"):
            outcomes = land_sample(home, sources)
    for outcome in outcomes:
        if outcome.what != "unchanged":
            say(f"  {outcome.message}")
    return outcomes, refused, build(home)
