"""A file that may not be landed: into quarantine, with an alert and one line that says why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from expectations import alerts
from ingest.archive import quarantine
from ingest.archive.store import Archived
from ingest.land.arriving_file import Arrival
from ingest.registry import Identity
from ingest.stores import Stores
from perinatal.errors import RefusedAtArrival


def scope_of(source_id: str, name: str, dataset: str | None = None, release: str | None = None) -> alerts.Scope:
    """Name what an alert of the arrival gate is about, so that a good file closes it."""
    parts = (dataset, release) if dataset and release else (name,)
    return alerts.Scope.of("arrival", source_id, *parts)


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
    """Put the file into quarantine, open an alert, and return the one line that says so."""
    report = quarantine.Report(
        source_id=arrival_.source.id,
        sha256=archived.sha256,
        original_name=arrival_.name,
        dataset=identity.dataset if identity else None,
        release=identity.release if identity else None,
        arrived_at=datetime.now(UTC).isoformat(timespec="seconds"),
        is_synthetic=arrival_.is_synthetic,
        reasons=reasons,
        url=arrival_.url,
        etag=arrival_.etag,
        published_on=arrival_.published_on,
        container=arrival_.container,
    )
    folder = stores.quarantine.put(archived.path, report)
    scope = scope_of(report.source_id, report.original_name, report.dataset, report.release)
    stores.alerts.reconcile(scope, [alerts.from_reason(reason) for reason in reasons])
    first, more = reasons[0], len(reasons) - 1
    return RefusedAtArrival(
        f"{arrival_.name}: refused at arrival ({first['rule']}): {first['message']}"
        + (f" (and {more} more reason(s))" if more else "")
        + f". The file is kept in {folder}; correct it or ask the publisher, then land it again."
    )
