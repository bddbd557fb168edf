"""A file that may not be landed: into quarantine, with an alert and one line that says why.

Alerts are published and sent, and lines of tasks are logged. Of a file that may name persons they say rule, line and
number of columns; what quotes its cells is for its quarantine report, and for the person who lands it, alone.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from expectations import alerts
from ingest.archive import quarantine
from ingest.archive.store import Archived
from ingest.land.arriving_file import Arrival
from ingest.registry import Identity, all_sources
from ingest.stores import Stores
from perinatal.errors import NoRoom, PerinatalError, RefusedAtArrival


def scope_of(source_id: str, name: str, dataset: str | None = None, release: str | None = None) -> alerts.Scope:
    """Name what an alert of the arrival gate is about, so that a good file closes it."""
    parts = (dataset, release) if dataset and release else (name,)
    return alerts.Scope.of("arrival", source_id, *parts)


def scope_of_report(report: quarantine.Report) -> alerts.Scope:
    """Name what the alert of a file in quarantine is about."""
    return scope_of(report.source_id, report.original_name, report.dataset, report.release)


def refuse(stores: Stores, archived: Archived, arrival_: Arrival, rule: str, message: str) -> RefusedAtArrival:
    """Put archived bytes that may not be landed into quarantine; returns the error that says so."""
    return refuse_for(stores, archived, arrival_, None, [{"rule": rule, "message": message, "count": 1}])


def refuse_for(
    stores: Stores,
    archived: Archived,
    arrival_: Arrival,
    identity: Identity | None,
    reasons: list[dict[str, Any]],
) -> RefusedAtArrival:
    """Put the file into quarantine, open an alert, and return the one line that says so.

    A reason has rule, message and count, maybe `line` and `columns` of the file; one of the gate is a whole breach.
    """
    report = quarantine.Report(
        source_id=arrival_.source.id,
        sha256=archived.sha256,
        original_name=arrival_.name,
        dataset=identity.dataset if identity else None,
        release=identity.release if identity else None,
        arrived_at=arrival_.arrived_at or datetime.now(UTC).isoformat(timespec="seconds"),
        is_synthetic=arrival_.is_synthetic,
        reasons=reasons,
        url=arrival_.url,
        etag=arrival_.etag,
        published_on=arrival_.published_on,
        container=arrival_.container,
    )
    folder = stores.quarantine.put(archived.path, report)
    scope = scope_of_report(report)
    breaches = [breach_of(reason, may_name_persons=arrival_.source.may_name_persons) for reason in reasons]
    stores.alerts.reconcile(scope, breaches)
    more = f" (and {len(reasons) - 1} more reason(s))" if len(reasons) > 1 else ""
    kept = f"{more}. The file is kept in {folder}; correct it or ask the publisher, then land it again."
    said, in_full = (
        f"{arrival_.name}: refused at arrival ({breaches[0].rule}): {message}{kept}"
        for message in (breaches[0].message, reasons[0]["message"])
    )
    return RefusedAtArrival(said, in_full, alerted=[str(scope)])


def breach_of(reason: Mapping[str, Any], *, may_name_persons: bool) -> alerts.Breach:
    """Return the alert of one reason of a quarantine report.

    The gate's own say nothing of cells that may not be told: they are of rows that are masked, or counted only.
    """
    breach = alerts.from_reason(reason)
    is_of_the_gate = "affected_marts" in reason
    if is_of_the_gate or not may_name_persons:
        return breach
    return replace(breach, message=_without_cells(breach.rule, reason.get("line"), reason.get("columns")))


def _without_cells(rule: str, line: int | None, columns: int | None) -> str:
    where = [f"line {line}" if line else "", f"({columns} columns)" if columns else ""]
    place = " ".join(filter(None, where))
    said = f"refused by the rule {rule}; `perinatal quarantine list` and `show` say more, to the owner of the file"
    return f"{place}: {said}" if place else said


def may_name_persons(source_id: str | None) -> bool:
    """Tell whether files of a source may name persons; of a source that is not known, they may."""
    source = all_sources().get(source_id or "")
    return source is None or source.may_name_persons


def told_again(scope: alerts.Scope, breach: alerts.Breach) -> alerts.Breach:
    """Return what an alert of an earlier version may say: those of refused files quoted their cells.

    The gate's own name the marts of their source; nothing else about a file does.
    """
    if scope.kind not in ("arrival", "inbox") or breach.affected_marts or not may_name_persons(scope.source_id):
        return breach
    said = (
        f"the file did not meet the rule {breach.rule}; the words of this entry are left out: they may quote its cells"
    )
    return replace(breach, message=said, sample_rows=[])


@contextmanager
def nothing_quoted(arrival_: Arrival) -> Iterator[None]:
    """Let an unexpected error of a file that may name persons say only what it is and where: it may quote a cell."""
    try:
        yield
    except (RefusedAtArrival, NoRoom, OSError):
        raise
    except Exception as error:
        if not arrival_.source.may_name_persons:
            raise
        place = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"
        raise PerinatalError(f"{arrival_.name}: cannot be landed: unexpected {what}") from None
