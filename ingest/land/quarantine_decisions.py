"""Decisions on quarantined files: a person releases or rejects them; a publisher's correction supersedes them."""

from __future__ import annotations

from dataclasses import replace

from expectations import alerts
from expectations.results import Result
from ingest.archive import audit, quarantine
from ingest.archive import store as archive
from ingest.land import intake
from ingest.land.arriving_file import Acceptance, as_it_came
from ingest.land.refusal import breach_of, may_name_persons, scope_of
from ingest.registry import Source
from ingest.stores import Stores
from perinatal.errors import PerinatalError


def release(
    stores: Stores,
    source: Source,
    report: quarantine.Report,
    acceptance: Acceptance,
    dataset: str | None = None,
    release_name: str | None = None,
) -> list[intake.Taken]:
    """Land a quarantined file again, its breaches of the arrival gate accepted as warnings.

    It arrived when it was refused: what came after it is newer.
    What cannot be read at all, or not without `dataset` and `release_name`, is refused again. Either way the decision
    is in the log.
    """
    archived = bytes_of(stores, report)
    arrival = replace(
        as_it_came(source, report, report.arrived_at),
        dataset=dataset or report.dataset,
        release=release_name or report.release,
        accepted=acceptance,
    )
    _record(stores, report, "released", acceptance.who, acceptance.why)
    taken = intake.take(stores, archived, arrival)
    if all(table.what != "refused" for table in taken):
        _take_out(stores, report)
    return taken


def bytes_of(stores: Stores, report: quarantine.Report) -> archive.Archived:
    """Return the archived bytes of a refused file."""
    archived = stores.archive.find(report.sha256)
    if archived is None:
        raise PerinatalError(f"{report.original_name}: its bytes {report.sha256} are not in the archive any more")
    return archived


def reject(stores: Stores, report: quarantine.Report, who: str, why: str) -> None:
    """Take a file out of quarantine for good: its alert closes, its bytes stay in the archive."""
    _record(stores, report, "rejected", who, why)
    _take_out(stores, report)


def supersede(stores: Stores, source_id: str, sha256: str, why: str) -> None:
    """Take files out of quarantine that the publisher has replaced by good ones at the same address."""
    for _, report in list(stores.quarantine.reports()):
        if report.source_id == source_id and sha256 in (report.sha256, report.container):
            _record(stores, report, "superseded", "fetch", why)
            _take_out(stores, report)


def _record(stores: Stores, report: quarantine.Report, decision: audit.Decision, who: str, why: str) -> None:
    stores.audit.record(
        decision,
        who,
        why,
        source_id=report.source_id,
        sha256=report.sha256,
        original_name=report.original_name,
        reasons=[reason["rule"] for reason in report.reasons],
    )


def _take_out(stores: Stores, report: quarantine.Report) -> None:
    """Remove it from quarantine; its alert then says what is still wrong with that release, if anything is."""
    stores.quarantine.remove(report.source_id, report.sha256)
    scope = _scope(report)
    left = [
        breach_of(reason, may_name_persons=may_name_persons(other.source_id))
        for _, other in stores.quarantine.reports()
        if _scope(other) == scope
        for reason in other.reasons
    ]
    stores.alerts.reconcile(scope, left or _standing_warnings(stores, report))


def _scope(report: quarantine.Report) -> alerts.Scope:
    return scope_of(report.source_id, report.original_name, report.dataset, report.release)


def _standing_warnings(stores: Stores, report: quarantine.Report) -> list[alerts.Breach]:
    """Return the warnings of the revision in use of the release that a report is about."""
    if not (report.dataset and report.release):
        return []
    newest = stores.landed.newest(report.source_id, report.dataset, report.release)
    results = [Result.read(check) for check in newest.checks] if newest else []
    return [result.as_breach() for result in results if result.is_told]
