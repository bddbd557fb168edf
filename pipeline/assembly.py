"""The assembly of an edition: models → themes → gate → downloads → pages → publish, over one candidate folder.

The command line runs the steps in one process, Airflow each in a task of its own. The gate stands behind the themes
because it judges them too.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urljoin

from expectations.alerts import AlertLog
from ingest.archive import build_inputs, quarantine
from ingest.archive import manifest as manifests
from ingest.archive.manifest import LandedReleases
from ingest.land import rereading
from ingest.land.refusal import scope_of_report
from ingest.registry import all_sources
from ingest.stores import Stores
from insights import brief, review_sheets, theme_tables
from insights.decisions import DecisionFile
from perinatal import made_files, settings
from perinatal.console import about, say, step
from perinatal.durable import locked
from perinatal.errors import Damaged, RefusedAtArrival
from perinatal.home import Home
from perinatal.made_files import MadeFiles, Since, Standing
from perinatal.priority import give_way
from perinatal.scratch import remove_abandoned
from pipeline import bundled, disk, fingerprint, lineage, metrics, release_judgement, shared_store, upgrade
from pipeline import candidate as candidates
from pipeline.candidate import Candidate
from pipeline.outcome import Outcome
from pipeline.release_judgement import CANDIDATE, DAILY, JUDGEMENT, RELEASE, Judged
from pipeline.shared_store import Exchanged
from publish import care, changes, edition, packs, portal, restricted
from publish.edition import Editions
from publish.portal.model import Facts
from warehouse import builder

LOCK = ".build.lock"


@dataclass(frozen=True)
class Built(Outcome):
    """What a build, or a step of it, came to.

    `what` is `published`, `nothing_new` (the edition that stood stays), `nothing_landed` (there is none) or
    `under_way` (a step before the last is done).
    """

    what: Literal["published", "nothing_new", "nothing_landed", "under_way"] = "published"
    edition: Path | None = None
    warnings: int = 0
    changed_rows: int = 0
    releases: int = 0

    def event(self) -> dict[str, Any]:
        """Return what the asset event of the edition says, with the addresses of its first page and Data Docs."""
        return {
            "edition": self.edition.name if self.edition else None,
            **addresses(),
            "releases": self.releases,
            "rows_changed": self.changed_rows,
            "warnings": self.warnings,
        }


def addresses() -> dict[str, str]:
    """Return where the current edition is read: its first page and its Data Docs."""
    options = settings.get()
    portal_folder = options.portal_url or f"http://127.0.0.1:{options.portal_port}/portal"
    pages = {"page": "index.html", "data_docs": "../quality/data_docs/index.html"}
    return {name: urljoin(portal_folder.rstrip("/") + "/", path) for name, path in pages.items()}


def build(home: Home, *, force: bool = False, signed_by: str | None = None) -> Built:
    """Build everything landed into a candidate, judge it, and publish it as the current edition: every step at once.

    One builder at a time: a second one waits, then finds nothing new. Raises BlockedByGate when a standard of severity
    `block` is not met: the last good edition stays current and an alert stands; HeldForSignature where the settings ask
    for a person's name and `signed_by` gives none. Raises RefusedAtArrival where nothing is landed because everything
    was refused. With a shared store, what others have landed is built too, and the edition is shared; damage in it
    keeps nothing else from being built, and is among the problems.
    """
    exchanged = shared_store.exchange(home)
    with locked(home.root / LOCK):
        built = _run(home, _begin(home, force=force, signed_by=signed_by), LAST)
    shared_store.share_edition(home)
    return _with_damage(built, exchanged)


def advance(home: Home, name: str) -> Built:
    """Bring the candidate forward to the end of one step; the first step begins a new one.

    Only what is missing is done: usually this step alone. Where the candidate is lost (another build has removed or
    published it, the program has changed, or a step had failed and other releases are landed now), it begins anew,
    and does the steps before this one too. Raises as `build` does.
    """
    is_first = name == next(iter(STEPS))
    exchanged = shared_store.exchange(home) if is_first else Exchanged(0, 0)
    with locked(home.root / LOCK):
        found = _begin(home) if is_first else _found(home, name)
        built = _run(home, found, name)
    if name == LAST:
        shared_store.share_edition(home)
    return _with_damage(built, exchanged)


def _with_damage(built: Built, exchanged: Exchanged) -> Built:
    """Add what could not be exchanged with the shared store to what a build came to."""
    lines = exchanged.problems
    return replace(built, problems=lines, failure=Damaged, alerted=exchanged.alerted, damage=lines)


def _found(home: Home, name: str) -> Candidate | Built:
    """Return the candidate that stands, as it was before this step; else what was begun anew."""
    try:
        found = candidates.find(home)
        require_same_inputs(home, found)
    except candidates.Lost as lost:
        say(f"{name}: the candidate is lost, so the build begins anew: {lost}")
        return _begin(home)
    return found.before_step(name)


def require_same_inputs(home: Home, found: Candidate) -> None:
    """Raise Lost where the program is another one; after a failure also where other releases or decisions are in use.

    What lands while a build is under way waits for the next one, or no build would ever end.
    """
    parts = fingerprint.parts(LandedReleases(home.landed).in_use(), home.theme_decisions)
    differ = {part for part, digest in parts.items() if found.progress.parts.get(part) != digest}
    if not found.progress.stopped:
        differ -= {"releases", "decisions"}
    if differ:
        raise candidates.Lost(f"what it is made from has changed since ({', '.join(sorted(differ))})")


def _begin(home: Home, *, force: bool = False, signed_by: str | None = None) -> Candidate | Built:
    """Return a new candidate of what is landed; what a build came to where there is nothing to do."""
    upgrade.prepare(home)
    _remove_leftovers(home)
    for line in _take_reviews(home):
        say(f"  {line}")
    bundled.land(home)
    for line in rereading.reread(Stores.of(home), all_sources()):
        say(f"  read again: {line}")
    releases = manifests.LandedReleases(home.landed).in_use()
    if not releases:
        return _nothing_landed(home)
    parts = fingerprint.parts(releases, home.theme_decisions)
    standing = Editions.of(home).current()
    if standing and not force and edition.info(standing)["fingerprint"] == fingerprint.whole(parts):
        # what time alone breaches (`daily`) is judged each morning, since this edition was published too
        release_judgement.settle(AlertLog(home.alerts), standing, (RELEASE, JUDGEMENT))
        metrics.write(home)
        return Built(False, f"nothing new; the edition stays {standing.name}", what="nothing_new", edition=standing)
    if force:
        shutil.rmtree(home.observations, ignore_errors=True)
    disk.require_room(home)
    is_comparable = bool(standing and _same_kind(standing, releases))
    return candidates.begin(home, releases, parts, is_comparable=is_comparable, signed_by=signed_by, makes_anew=force)


def _run(home: Home, found: Candidate | Built, last: str) -> Built:
    """Do the steps that the candidate still lacks, up to and with `last`; returns what the last one came to.

    People read the edition meanwhile, so from here on this process gives way.
    """
    if isinstance(found, Built):
        return found
    give_way()
    names = list(STEPS)
    built = _under_way("")
    for name in names[len(found.done) : names.index(last) + 1]:
        start = time.monotonic()
        try:
            with about(candidate=found.folder.name, edition=found.edition_id), step(STEPS[name].title):
                found, built = STEPS[name].run(home, found)
        except Exception as error:
            found.now(stopped=f"{name}: {error}")
            raise
        if name != LAST:
            seconds = {**found.progress.seconds, name: round(time.monotonic() - start, 1)}
            found = found.now(seconds=seconds, stopped=None)
    return built


def _take_reviews(home: Home) -> list[str]:
    """Take what people have decided on themes from the inbox; returns a line a sheet."""
    decisions, log = DecisionFile(home.theme_decisions), AlertLog(home.alerts)
    today, quiet = datetime.now(UTC).date(), settings.get().inbox_quiet_seconds
    return review_sheets.take_inbox(home.theme_inbox, decisions, log, today, quiet)


def _nothing_landed(home: Home) -> Built:
    AlertLog(home.alerts).reconcile(CANDIDATE, [])
    refused = [report for _, report in quarantine.Quarantine(home.quarantine).reports()]
    if refused:
        raise RefusedAtArrival(
            f"nothing to build: nothing is landed, and {len(refused)} file(s) were refused at arrival; "
            "`perinatal quarantine list` says why",
            alerted={str(scope_of_report(report)) for report in refused},
        )
    message = "nothing to build: nothing is landed yet. Land files, drop them in the inbox, or try `refresh --sample`"
    return Built(False, message, what="nothing_landed")


def _remove_leftovers(home: Home) -> None:
    """Remove what killed landings, killed builds and blocked builds have left; locks tell what is in use."""
    Editions.of(home).remove_unpublished()
    for folder in home.build.glob("*"):
        shutil.rmtree(folder)
    remove_abandoned(home.landed, ".landing-")
    remove_abandoned(home.archive, ".incoming-", ".member-")


def _same_kind(standing: Path, releases: list[manifests.Manifest]) -> bool:
    return bool(edition.info(standing)["is_synthetic"]) == manifests.all_synthetic(releases)


Made = tuple[Candidate, Built]


def _under_way(message: str) -> Built:
    return Built(True, message, what="under_way")


def _emptied(folder: Path) -> Path:
    """Remove what an earlier try of a step has left."""
    if folder.exists():
        shutil.rmtree(folder)
    return folder


def _models(home: Home, candidate: Candidate) -> Made:
    """Build the landed releases into the candidate: one `dbt build`, from nothing."""
    for path in (candidate.database, candidate.work):
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
    releases = build_inputs.releases(LandedReleases(home.landed), candidate.releases)
    cache = home.cache / "dbt"
    try:
        builder.build(candidate.folder, cache, build_inputs.layouts(), releases, keeping=home.observations)
    finally:
        lineage.send_models(cache)
    return candidate, _under_way(f"models of {len(releases)} release(s) are built")


def _themes(home: Home, candidate: Candidate) -> Made:
    """Code the findings, and record which rows changed since the last edition."""
    codes = theme_tables.run(candidate.database, DecisionFile(home.theme_decisions))
    changed = changes.record(candidate.database, candidate.before)
    said = f"{codes:,} code(s) given to findings; {changed:,} row(s) changed since the last edition"
    return candidate.now(changed_rows=changed), _under_way(said)


def _gate(home: Home, candidate: Candidate) -> Made:
    """Judge the candidate: what may not be published stops here, and the last edition stays."""
    judged = release_judgement.judge(AlertLog(home.alerts), candidate)
    facts = _facts(home, candidate, judged)
    said = f"{len(judged.results)} standard(s) judged, none blocks; {len(facts['warnings'])} warning(s)"
    return candidate.now(facts=facts), _under_way(said)


def _downloads(_: Home, candidate: Candidate) -> Made:
    """Write the marts as files, and a pack for each LMS."""
    folder = _emptied(candidate.folder / "downloads")
    facts = candidate.progress.facts
    made = MadeFiles(folder, Since(facts["edition_id"], facts["published_at"]), _standing(candidate, "downloads"))
    edition.write_downloads(candidate.database, made)
    brief.write_all(candidate.database, made, is_synthetic=facts["is_synthetic"])
    packs.write_all(candidate.database, made, is_synthetic=facts["is_synthetic"])
    made.close()
    return candidate, _under_way(f"{len(made.files):,} files to download, {made.taken_over:,} taken over")


def _pages(home: Home, candidate: Candidate) -> Made:
    """Write the portal."""
    facts = _facts_of_pages(home, candidate.progress.facts)
    folder = _emptied(candidate.folder / "portal")
    written = portal.write(candidate.database, folder, facts, _standing(candidate, "portal"))
    listed = [one for name in ("downloads", "portal") for one in made_files.read(candidate.folder / name).values()]
    same = sum(one.edition_id != facts.edition_id for one in listed)
    found = candidate.now(facts={**candidate.progress.facts, "files": {"all": len(listed), "same": same}})
    return found, _under_way(f"{written.pages:,} pages; {written.taken_over:,} files taken over")


def _standing(candidate: Candidate, name: str) -> Standing:
    """Return what a folder of the candidate may take over from the edition that was current when it was begun."""
    progress = candidate.progress
    before = candidate.editions.folder / progress.standing / name if progress.standing else None
    return Standing(before, fingerprint.of_files(progress.parts), anew=progress.makes_anew)


def _publish(home: Home, candidate: Candidate) -> Made:
    """Move the parts into an edition folder and swap it in."""
    contents = {name: candidate.folder / name for name in ("downloads", "portal", "quality")}
    kept_apart = restricted.write(_emptied(candidate.folder / "restricted"), candidate.work, candidate.database)
    if kept_apart:
        contents["restricted"] = kept_apart
    contents[edition.DATABASE] = candidate.database
    progress = candidate.progress
    took = {"build": disk.bytes_of(candidate.folder), "landed": disk.bytes_of(home.landed)}
    facts = {**progress.facts, "seconds": progress.seconds, "bytes": took}
    published = Editions.of(home).publish(candidate.folder, contents, facts)
    shutil.rmtree(candidate.folder)
    Editions.of(home).prune(settings.get().keep_editions)
    release_judgement.settle(AlertLog(home.alerts), published, (RELEASE, JUDGEMENT, DAILY))
    metrics.write(home)
    count, warnings = len(candidate.releases), len(facts["warnings"])
    return candidate, Built(
        True,
        f"published {published.name}: {count} release(s), {progress.changed_rows:,} row(s) changed since the last "
        f"edition, {facts['files']['same']:,} of {facts['files']['all']:,} files read as in it, {warnings} warning(s)",
        edition=published,
        warnings=warnings,
        changed_rows=progress.changed_rows,
        releases=count,
    )


def _facts(home: Home, candidate: Candidate, judged: Judged) -> dict[str, Any]:
    """Return what the edition says of itself in edition.json."""
    mark = fingerprint.whole(candidate.progress.parts)
    return Editions.of(home).identity(mark) | {
        "fingerprint": mark,
        "fingerprint_parts": candidate.progress.parts,
        "engine": settings.get().engine,
        "is_synthetic": manifests.all_synthetic(candidate.releases),
        "releases": sorted(item.release_key for item in candidate.releases),
        "landed_again": candidate.landed_again,
        "signed_by": candidate.progress.signed_by,
        "care": care.new_entries(candidate.database),
        "checks": len(judged.results),
        "warnings": sorted(result.rule for result in judged.results if result.is_told),
        "judged_at": judged.at,
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


@dataclass(frozen=True)
class Step:
    """One step of the assembly: what it is called while it runs, and what does it."""

    title: str
    run: Callable[[Home, Candidate], Made]


STEPS = {
    "models": Step("Models", _models),
    "themes": Step("Themes", _themes),
    "gate": Step("Gate", _gate),
    "downloads": Step("Downloads and packs", _downloads),
    "pages": Step("Pages", _pages),
    "publish": Step("Publishing", _publish),
}
LAST = "publish"
