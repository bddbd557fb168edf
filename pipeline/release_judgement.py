"""The gate of a build: a candidate is held against the standards, and against what the last edition judged."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from expectations import data_docs
from expectations import release as release_gate
from expectations.alerts import AlertLog, Breach, Scope
from expectations.results import Result
from ingest.archive.manifest import Manifest
from perinatal import settings
from perinatal.errors import BlockedByGate, HeldForSignature
from pipeline.candidate import Candidate
from publish import edition, judgement, policy, quality_tables
from publish.judgement import Judgements

RELEASE, DAILY, JUDGEMENT = Scope.of("release"), Scope.of("daily"), Scope.of("judgement")


def compare_judgements(log: AlertLog, candidate: Candidate) -> Judgements:
    """Write what the candidate judges otherwise than the last edition into it; much of it opens an alert."""
    why: tuple[str, ...] = ()
    if candidate.before:
        releases = sorted(item.release_key for item in candidate.releases)
        now = {"releases": releases, "fingerprint_parts": candidate.progress.parts}
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
    log.reconcile(JUDGEMENT, [breach] if judged.is_much else [])
    return judged


def require_signature(judged: Judgements, candidate: Candidate) -> None:
    """Raise HeldForSignature where much is judged otherwise, the settings hold such editions, and nobody has signed."""
    if judged.is_much and settings.get().hold_on_change and not candidate.progress.signed_by:
        raise HeldForSignature(
            f"held: {judged.message}. The last edition stays until a person signs: `perinatal build --sign NAME`. "
            f"The candidate lies in {candidate.folder}.",
            alerted=[str(JUDGEMENT)],
        )


def judge(log: AlertLog, candidate: Candidate) -> list[Result]:
    """Compare the candidate with the standards and write what was found into it. Raises BlockedByGate."""
    last = candidate.before / edition.DATABASE if candidate.before else None
    of_release = release_gate.judge(candidate.database, candidate.work, last)
    log.reconcile(RELEASE, [result.as_breach() for result in of_release if result.is_told])
    of_day = judge_today(log, candidate.database)
    blocked = {RELEASE: [one for one in of_release if one.blocks], DAILY: [one for one in of_day if one.blocks]}
    if any(blocked.values()):
        raise _blocked(blocked, candidate.folder)
    results = of_release + of_day
    arrivals = _arrival_results(candidate.releases)
    quality_tables.write_checks(candidate.database, [*results, *(result for group in arrivals for result in group)])
    quality_tables.write_alerts(candidate.database, [alert.to_dict() for alert in log.all()])
    _write_data_docs(candidate.folder, results, arrivals)
    return results


def judge_today(log: AlertLog, database: Path) -> list[Result]:
    """Compare what time alone can breach with today's date, and bring its alerts up to date."""
    results = release_gate.judge_today(database)
    log.reconcile(DAILY, [result.as_breach() for result in results if result.is_told])
    return results


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


def _blocked(blocked: dict[Scope, list[Result]], folder: Path) -> BlockedByGate:
    first, *others = [result for results in blocked.values() for result in results]
    more = len(others)
    return BlockedByGate(
        f"blocked by the release gate ({first.rule}): {first.message}"
        + (f" (and {more} more)" if more else "")
        + f". {first.remedy} No edition was published; the last good one stays. The candidate lies in {folder}.",
        alerted=[str(scope) for scope, results in blocked.items() if results],
    )
