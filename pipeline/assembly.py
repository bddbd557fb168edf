"""The step that makes an edition: models → themes → gate → downloads → pages → publish, over one candidate folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from expectations import data_docs
from expectations import release as release_gate
from expectations.alerts import AlertLog, Breach, Scope
from expectations.results import Result
from ingest.archive import build_inputs, quarantine
from ingest.archive import manifest as manifests
from ingest.archive.manifest import LandedReleases
from insights import brief, review_sheets, theme_tables
from insights.decisions import DecisionFile
from perinatal import settings
from perinatal.console import say, step
from perinatal.durable import locked
from perinatal.errors import BlockedByGate, HeldForSignature, RefusedAtArrival
from perinatal.home import Home
from perinatal.scratch import remove_abandoned
from pipeline import bundled, fingerprint, shared_store
from pipeline.outcome import Outcome
from publish import care, changes, edition, judgement, packs, policy, portal, quality_tables, restricted
from publish.edition import Editions
from publish.judgement import Judgements
from publish.portal.model import Facts
from warehouse import builder


@dataclass(frozen=True)
class Built(Outcome):
    """What a build came to.

    `what` is `published`, `nothing_new` (the edition that stood stays) or `nothing_landed` (there is none).
    """

    what: Literal["published", "nothing_new", "nothing_landed"] = "published"
    edition: Path | None = None
    warnings: int = 0
    changed_rows: int = 0
    releases: int = 0

    def event(self) -> dict[str, Any]:
        """Return what the asset event of the edition says."""
        return {
            "edition": self.edition.name if self.edition else None,
            "releases": self.releases,
            "rows_changed": self.changed_rows,
            "warnings": self.warnings,
        }


@dataclass(frozen=True)
class Candidate:
    """An edition in the making: its folder, what it is made of, and the edition before.

    `before` is the standing edition where it may be compared with: sample and real editions never are. `signed_by` is
    the person who has looked at what it judges otherwise.
    """

    folder: Path
    releases: list[manifests.Manifest]
    parts: dict[str, str]
    before: Path | None
    signed_by: str | None = None

    @property
    def database(self) -> Path:
        """Return what ships."""
        return self.folder / edition.DATABASE

    @property
    def work(self) -> Path:
        """Return the working file, with what disclosure and audience keep out of the edition."""
        return self.folder / "work.duckdb"


def build(home: Home, *, force: bool = False, signed_by: str | None = None) -> Built:
    """Build everything landed into a candidate, judge it, and publish it as the current edition.

    One builder at a time: a second one waits, then finds nothing new. Raises BlockedByGate when a standard of severity
    `block` is not met: the last good edition stays current and an alert stands; HeldForSignature where the settings ask
    for a person's name and `signed_by` gives none. Raises RefusedAtArrival where nothing is landed because everything
    was refused. With a shared store, what others have landed is built too, and the edition
    is shared.
    """
    shared_store.exchange(home)
    with locked(home.root / ".build.lock"):
        built = _build_if_new(home, force, signed_by)
    shared_store.share_edition(home)
    return built


def _build_if_new(home: Home, force: bool, signed_by: str | None) -> Built:
    _remove_leftovers(home)
    for line in _take_reviews(home):
        say(f"  {line}")
    bundled.land(home)
    releases = manifests.LandedReleases(home.landed).in_use()
    if not releases:
        return _nothing_landed(home)
    parts = fingerprint.parts(releases, home.theme_decisions)
    standing = Editions.of(home).current()
    if standing and not force and edition.info(standing)["fingerprint"] == fingerprint.whole(parts):
        return Built(False, f"nothing new; the edition stays {standing.name}", what="nothing_new", edition=standing)
    folder = home.build / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}"
    folder.mkdir(parents=True, mode=0o700)
    comparable = standing if standing and _same_kind(standing, releases) else None
    built = _assemble(home, Candidate(folder, releases, parts, comparable, signed_by))
    shutil.rmtree(folder)
    Editions.of(home).prune(settings.get().keep_editions)
    return built


def _take_reviews(home: Home) -> list[str]:
    """Take what people have decided on themes from the inbox; returns a line a sheet."""
    decisions, log = DecisionFile(home.theme_decisions), AlertLog(home.alerts)
    today, quiet = datetime.now(UTC).date(), settings.get().inbox_quiet_seconds
    return review_sheets.take_inbox(home.theme_inbox, decisions, log, today, quiet)


def _nothing_landed(home: Home) -> Built:
    refused = [report for _, report in quarantine.Quarantine(home.quarantine).reports()]
    if refused:
        raise RefusedAtArrival(
            f"nothing to build: nothing is landed, and {len(refused)} file(s) were refused at arrival; "
            "`perinatal quarantine list` says why"
        )
    message = "nothing to build: nothing is landed yet. Land files, drop them in the inbox, or try `refresh --sample`"
    return Built(False, message, what="nothing_landed")


def _remove_leftovers(home: Home) -> None:
    """Remove what killed landings, killed builds and blocked builds have left; locks tell what is in use."""
    for folder in (*home.build.glob("*"), *Editions.of(home).unpublished()):
        shutil.rmtree(folder)
    remove_abandoned(home.landed, ".landing-")
    remove_abandoned(home.archive, ".incoming-", ".member-")


def _same_kind(standing: Path, releases: list[manifests.Manifest]) -> bool:
    return bool(edition.info(standing)["is_synthetic"]) == manifests.all_synthetic(releases)


def _assemble(home: Home, candidate: Candidate) -> Built:
    """Make every part of the edition, in order."""
    with step(f"Models of {len(candidate.releases)} release(s)"):
        make_models(home, candidate)
    with step("Themes"):
        theme_tables.run(candidate.database, DecisionFile(home.theme_decisions))
        changed = changes.record(candidate.database, candidate.before)
    with step("Gate"):
        judged = compare_judgements(AlertLog(home.alerts), candidate)
        results = judge(AlertLog(home.alerts), candidate)
        require_signature(judged, candidate)
    facts = _facts(home, candidate, results)
    with step("Downloads and packs"):
        write_downloads(candidate, facts)
    with step("Pages"):
        portal.write(candidate.database, candidate.folder / "portal", _facts_of_pages(home, facts))
    with step("Publishing"):
        published = publish(home, candidate, facts)
    warnings = sum(result.is_told for result in results)
    return Built(
        True,
        f"published {published.name}: {len(candidate.releases)} release(s), {changed:,} row(s) changed since the last "
        f"edition, {warnings} warning(s)",
        edition=published,
        warnings=warnings,
        changed_rows=changed,
        releases=len(candidate.releases),
    )


def make_models(home: Home, candidate: Candidate) -> None:
    """Build the landed releases into the candidate: one `dbt build`."""
    releases = build_inputs.releases(LandedReleases(home.landed), candidate.releases)
    builder.build(candidate.folder, home.cache / "dbt", build_inputs.layouts(), releases)


def compare_judgements(log: AlertLog, candidate: Candidate) -> Judgements:
    """Write what the candidate judges otherwise than the last edition into it; much of it opens an alert."""
    why: tuple[str, ...] = ()
    if candidate.before:
        releases = sorted(item.release_key for item in candidate.releases)
        now = {"releases": releases, "fingerprint_parts": candidate.parts}
        why = judgement.causes(edition.info(candidate.before), now)
    judged = judgement.record(candidate.database, candidate.before, why)
    breach = Breach(
        rule="headlines_and_verdicts_stand",
        severity="warn",
        message=f"Much is judged otherwise than in the last edition: {judged.message}",
        count=judged.verdicts_changed + len(judged.headlines),
        remedy="Read the change report before this edition is used; `perinatal build --sign NAME` signs a held one.",
        affected_marts=["marts.national_ambition", "marts.trust_indicator", "marts.lms_indicator"],
        why="Boards would read another judgement than last time, and must be able to trust why.",
    )
    log.reconcile(Scope.of("judgement"), [breach] if judged.is_much else [])
    return judged


def require_signature(judged: Judgements, candidate: Candidate) -> None:
    """Raise HeldForSignature where much is judged otherwise, the settings hold such editions, and nobody has signed."""
    if judged.is_much and settings.get().hold_on_change and not candidate.signed_by:
        raise HeldForSignature(
            f"held: {judged.message}. The last edition stays until a person signs: `perinatal build --sign NAME`. "
            f"The candidate lies in {candidate.folder}."
        )


def judge(log: AlertLog, candidate: Candidate) -> list[Result]:
    """Compare the candidate with the standards and write what was found into it. Raises BlockedByGate."""
    last = candidate.before / edition.DATABASE if candidate.before else None
    results = release_gate.judge(candidate.database, candidate.work, last)
    log.reconcile(Scope.of("release"), [result.as_breach() for result in results if result.is_told])
    results += judge_today(log, candidate.database)
    blocked = [result for result in results if result.blocks]
    if blocked:
        raise _blocked(blocked, candidate.folder)
    arrivals = _arrival_results(candidate.releases)
    quality_tables.write_checks(candidate.database, [*results, *(result for group in arrivals for result in group)])
    quality_tables.write_alerts(candidate.database, [alert.to_dict() for alert in log.all()])
    _write_data_docs(candidate.folder, results, arrivals)
    return results


def judge_today(log: AlertLog, database: Path) -> list[Result]:
    """Compare what time alone can breach with today's date, and bring its alerts up to date."""
    results = release_gate.judge_today(database)
    log.reconcile(Scope.of("daily"), [result.as_breach() for result in results if result.is_told])
    return results


def _arrival_results(releases: list[manifests.Manifest]) -> list[list[Result]]:
    return [
        [replace(Result.read(check), release_key=item.release_key) for check in item.checks]
        for item in releases
        if item.checks
    ]


def _write_data_docs(folder: Path, results: list[Result], arrivals: list[list[Result]]) -> None:
    """Write GX Data Docs: the release gate, and each dataset's arrival suite the newest release and the trend."""
    suites: dict[str, list[list[Result]]] = {"release": [results]} if results else {}
    for group in arrivals:
        suites.setdefault(group[0].suite, []).append(group)
    (folder / "quality").mkdir()
    with tempfile.TemporaryDirectory(dir=folder) as made:
        site = data_docs.write(Path(made), suites)
        site.rename(folder / "quality" / "data_docs")
    policy.seal(folder / "quality" / "data_docs")


def _blocked(blocked: list[Result], folder: Path) -> BlockedByGate:
    first, more = blocked[0], len(blocked) - 1
    return BlockedByGate(
        f"blocked by the release gate ({first.rule}): {first.message}"
        + (f" (and {more} more)" if more else "")
        + f". {first.remedy} No edition was published; the last good one stays. The candidate lies in {folder}."
    )


def _facts(home: Home, candidate: Candidate, results: list[Result]) -> dict[str, Any]:
    """Return what the edition says of itself in edition.json."""
    mark = fingerprint.whole(candidate.parts)
    return Editions.of(home).identity(mark) | {
        "fingerprint": mark,
        "fingerprint_parts": candidate.parts,
        "is_synthetic": manifests.all_synthetic(candidate.releases),
        "releases": sorted(item.release_key for item in candidate.releases),
        "signed_by": candidate.signed_by,
        "care": care.new_entries(candidate.database),
        "checks": len(results),
        "warnings": sorted(result.rule for result in results if result.is_told),
    }


def _facts_of_pages(home: Home, facts: dict[str, Any]) -> Facts:
    """Return what the pages say of the edition, with those before it."""
    return Facts(
        facts["edition_id"],
        facts["published_at"],
        facts["is_synthetic"],
        settings.get().portal_url,
        (facts, *Editions.of(home).history()),
        facts["signed_by"],
        has_briefs=True,
    )


def write_downloads(candidate: Candidate, facts: dict[str, Any]) -> None:
    """Write the marts as files, and a pack for each LMS."""
    folder = candidate.folder / "downloads"
    edition.write_downloads(candidate.database, folder)
    brief.write_all(candidate.database, folder / "brief", facts)
    packs.write_all(candidate.database, folder / "lms", facts, settings.get().threads or os.cpu_count() or 1)


def publish(home: Home, candidate: Candidate, facts: dict[str, Any]) -> Path:
    """Move the parts into an edition folder and swap it in."""
    contents = {edition.DATABASE: candidate.database}
    contents |= {name: candidate.folder / name for name in ("downloads", "portal", "quality")}
    kept_apart = restricted.write(candidate.folder / "restricted", candidate.work, candidate.database)
    if kept_apart:
        contents["restricted"] = kept_apart
    return Editions.of(home).publish(candidate.folder, contents, facts)
