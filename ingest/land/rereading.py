"""Landed files are read again from the archive where a newer reader of their source types them otherwise.

A source raises `parser_version` when the same bytes are read into other rows. What its earlier reader has typed is then
read by the new one, judged like any file that arrives, and becomes a further revision of its release under the same
key. Where it is refused (quarantine and alert say why), or its bytes are lost, the earlier reading stays in use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ingest.archive.manifest import Manifest
from ingest.archive.store import hash_of
from ingest.land import intake
from ingest.land.arriving_file import Acceptance, Arrival
from ingest.registry import Source
from ingest.stores import Stores
from perinatal.printable import printable


def outdated(stores: Stores, sources: Mapping[str, Source]) -> list[Manifest]:
    """Return what an earlier reader has typed, by path: neither withdrawn, nor refused when it was read again."""
    waiting = intake.waiting(stores)
    found = (
        item
        for item in stores.landed.all()
        if item.source_id in sources and item.parser_version < sources[item.source_id].parser_version
    )
    return [
        item
        for item in found
        if item.sha256 not in waiting and not stores.landed.is_withdrawn(item) and not _is_rejected(stores, item)
    ]


def reread(stores: Stores, sources: Mapping[str, Source]) -> Iterator[str]:
    """Read again what an earlier reader has typed; yields a line for each file, for people and logs."""
    for item in outdated(stores, sources):
        source = sources[item.source_id]
        archived = stores.archive.find(item.sha256)
        if archived is None or hash_of(archived.path) != item.sha256:
            lost = f"{printable(item.original_name)}: its archived bytes are lost or damaged (`perinatal verify`)"
            yield f"{lost}, so {item.title} stays as version {item.parser_version} of its reader has read it"
            continue
        yield from (table.message for table in intake.take(stores, archived, _arrival_of(stores, source, item)))


def _arrival_of(stores: Stores, source: Source, item: Manifest) -> Arrival:
    """Return what was known of a landed file when it arrived, with what a person has accepted of it."""
    names = source.dataset_names(item.layout)
    return Arrival(
        source,
        item.original_name,
        dataset=item.dataset if item.dataset in names else None,
        release=item.release,
        url=item.url,
        etag=item.etag,
        published_on=item.published_on,
        is_synthetic=item.is_synthetic,
        is_bundled=item.is_bundled,
        container=item.container,
        accepted=_acceptance(stores, item),
        sheet=item.sheet,
        arrived_at=item.fetched_at,
    )


def _acceptance(stores: Stores, item: Manifest) -> Acceptance | None:
    released = [entry for entry in stores.audit.of(item.sha256) if entry["decision"] == "released"]
    if not released:
        return None
    last = released[-1]
    return Acceptance(last["who"], last["why"], frozenset(last["reasons"]))


def _is_rejected(stores: Stores, item: Manifest) -> bool:
    """Tell whether what a newer reader made of a file was rejected, or the file corrected: after it had been landed."""
    last = next(reversed(stores.audit.of(item.sha256)), None)
    return last is not None and last["decision"] in ("rejected", "superseded") and last["at"] >= item.fetched_at
