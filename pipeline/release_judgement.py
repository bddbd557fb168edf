"""The gate of a build: a candidate is held against the standards, and against what the last edition judged.

What holds a candidate back stands as alerts of scope `candidate`, until another candidate passes or nothing is new.
Alerts of the scopes `release`, `daily` and `judgement` are about the edition that people read: what the gate finds for
them is written into the candidate, and they are brought to it when the candidate is published (`settle`).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from expectations import data_docs
from expectations import release as release_gate
from expectations.alerts import AlertLog, Breach, Scope, moment
from expectations.results import Result
from ingest.archive.manifest import Manifest
from perinatal import settings
from perinatal.errors import BlockedByGate, HeldForSignature
from pipeline.candidate import Candidate
from publish import edition, judgement, policy, quality_tables
from publish.judgement import Judgements

CANDIDATE, RELEASE, DAILY, JUDGEMENT = map(Scope.of, ("candidate", "release", "daily", "judgement"))


@dataclass(frozen=True)
class Judged:
    """The verdicts on a candidate that may go on, and the moment of its alerts."""

    results: list[Result]
    at: str


def judge(log: AlertLog, candidate: Candidate) -> Judged:
    """Compare the candidate with standards and last edition, and write what was found into it.

    Raises BlockedByGate where a standard of severity `block` is not met, HeldForSignature where much is judged
    otherwise, the settings hold such editions, and nobody has signed.
    """
    judged = _compare_judgements(candidate)
    last = candidate.before / edition.DATABASE if candidate.before else None
    of_release = release_gate.judge(candidate.database, candidate.work, last)
    of_today = release_gate.judge_today(candidate.database)
    results, at = [*of_release, *of_today], moment()
    otherwise = [_much_is_otherwise(judged)] if judged.is_much else []
    blocked = [result for result in results if result.blocks]
    is_held = judged.is_much and settings.get().hold_on_change and not candidate.progress.signed_by
    log.reconcile(CANDIDATE, [result.as_breach() for result in blocked] + (otherwise if is_held else []))
    if blocked:
        raise _blocked(blocked, candidate.folder)
    arrivals = _arrival_results(candidate.releases)
    quality_tables.write_checks(candidate.database, [*results, *(result for group in arrivals for result in group)])
    alerts = log.foresee({RELEASE: _told(of_release), DAILY: _told(of_today), JUDGEMENT: otherwise}, at)
    quality_tables.write_alerts(candidate.database, [alert.to_dict() for alert in alerts])
    _write_data_docs(candidate.folder, results, arrivals)
    if is_held:
        raise _held(judged, candidate.folder)
    return Judged(results, at)


def judge_today(log: AlertLog, database: Path) -> None:
    """Compare what time alone can breach with today's date, and bring its alerts up to date."""
    log.reconcile(DAILY, _told(release_gate.judge_today(database)))


def settle(log: AlertLog, published: Path, scopes: Sequence[Scope]) -> None:
    """Bring the alerts to an edition that is as new as what is landed.

    Those of these scopes become what the edition itself says; those of a candidate, and of tasks of the assembly that
    had failed, are closed.
    """
    at = edition.info(published)["judged_at"]
    stands = quality_tables.standing_alerts(published / edition.DATABASE)
    for scope in scopes:
        log.reconcile(scope, [Breach.read(alert) for alert in stands if alert["scope"] == str(scope)], at)
    open_for = {alert.scope for alert in log.all() if alert.state != "closed"}
    for scope in sorted(open_for):
        if scope == CANDIDATE or (scope.kind == "operations" and scope.parts[0] == "assemble"):
            log.reconcile(scope, [])


def _told(results: Iterable[Result]) -> list[Breach]:
    return [result.as_breach() for result in results if result.is_told]


def _compare_judgements(candidate: Candidate) -> Judgements:
    """Write what the candidate judges otherwise than the last edition into it."""
    why: tuple[str, ...] = ()
    if candidate.before:
        releases = sorted(item.release_key for item in candidate.releases)
        parts, again = candidate.progress.parts, candidate.landed_again
        now = {"releases": releases, "landed_again": again, "fingerprint_parts": parts}
        why = judgement.causes(edition.info(candidate.before), now)
    return judgement.record(candidate.database, candidate.before, why)


def _much_is_otherwise(judged: Judgements) -> Breach:
    return Breach(
        rule="headlines_and_verdicts_stand",
        severity="warn",
        message=f"Much is judged otherwise than in the last edition: {judged.message}",
        count=judged.verdicts_changed + len(judged.headlines),
        remedy="Read the change report before this edition is used; `perinatal build --sign NAME` signs a held one.",
        affected_marts=["marts.national_ambition", "marts.trust_indicator", "marts.lms_indicator"],
        why="Boards would read another judgement than last time, and must be able to trust why.",
    )


def _arrival_results(releases: list[Manifest]) -> list[list[Result]]:
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
    shutil.rmtree(folder / "quality", ignore_errors=True)
    (folder / "quality").mkdir()
    with tempfile.TemporaryDirectory(dir=folder) as made:
        site = data_docs.write(Path(made), suites)
        site.rename(folder / "quality" / "data_docs")
    policy.seal(folder / "quality" / "data_docs")


def _blocked(blocked: Sequence[Result], folder: Path) -> BlockedByGate:
    first, more = blocked[0], len(blocked) - 1
    return BlockedByGate(
        f"blocked by the release gate ({first.rule}): {first.message}"
        + (f" (and {more} more)" if more else "")
        + f". {first.remedy} No edition was published; the last good one stays. The candidate lies in {folder}.",
        alerted=[str(CANDIDATE)],
    )


def _held(judged: Judgements, folder: Path) -> HeldForSignature:
    return HeldForSignature(
        f"held: {judged.message}. The last edition stays until a person signs: `perinatal build --sign NAME`. "
        f"The candidate lies in {folder}.",
        alerted=[str(CANDIDATE)],
    )
