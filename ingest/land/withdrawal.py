"""A landed release is taken out of use by a person, and put back: bytes, rows and manifest stay where they are."""

from __future__ import annotations

from expectations.results import Result
from ingest.archive.manifest import Manifest
from ingest.land.refusal import scope_of
from ingest.stores import Stores
from perinatal.errors import PerinatalError


def withdraw(stores: Stores, release_key: str, who: str, why: str) -> Manifest:
    """Take a release out of use: the next build is without it, its alerts close, the decision is in the log.

    Raises PerinatalError unless exactly one release in use has this key, or begins with it.
    """
    item = _one(stores, release_key, is_withdrawn=False)
    stores.audit.record("withdrawn", who, why, release_key=item.release_key, original_name=item.original_name)
    stores.landed.mark_withdrawn(item, who, why)
    _update_alerts(stores, item)
    return item


def undo(stores: Stores, release_key: str, who: str, why: str) -> Manifest:
    """Put a withdrawn release back into use. Raises PerinatalError unless exactly one has this key."""
    item = _one(stores, release_key, is_withdrawn=True)
    stores.audit.record("reinstated", who, why, release_key=item.release_key, original_name=item.original_name)
    stores.landed.unmark_withdrawn(item)
    _update_alerts(stores, item)
    return item


def _one(stores: Stores, release_key: str, *, is_withdrawn: bool) -> Manifest:
    of_kind = [item for item in stores.landed.all() if stores.landed.is_withdrawn(item) == is_withdrawn]
    found = [item for item in of_kind if item.release_key == release_key]
    found = found or [item for item in of_kind if item.release_key.startswith(release_key)]
    if len(found) == 1:
        return found[0]
    kind = "withdrawn releases" if is_withdrawn else "releases in use"
    keys = ", ".join(item.release_key for item in (found or of_kind)[:6])
    raise PerinatalError(
        f"{len(found)} {kind} have a key that begins with {release_key!r}; there are: {keys or 'none'}"
    )


def _update_alerts(stores: Stores, item: Manifest) -> None:
    """Let the alerts of a release say what its newest revision in use was found to be."""
    newest = stores.landed.newest(item.source_id, item.dataset, item.release)
    results = [Result.read(check) for check in newest.checks] if newest else []
    scope = scope_of(item.source_id, item.original_name, item.dataset, item.release)
    stores.alerts.reconcile(scope, [result.as_breach() for result in results if result.is_told])
