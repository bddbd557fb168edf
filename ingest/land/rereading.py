"""Landed files are read again from the archive where a newer reader of their source types them otherwise.

A source raises `parser_version` when the same bytes are read into other rows. What its earlier reader has typed is then
read by the new one, judged like any file that arrives, and becomes a further revision of its release under the same
key. Where it is refused (quarantine and alert say why), or its bytes are lost, the earlier reading stays in use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ingest.archive.manifest import Manifest
from ingest.archive.store import hash_of
from ingest.land import intake
from ingest.land.arriving_file import Acceptance, Arrival, as_it_came
from ingest.registry import Source
from ingest.stores import Stores
from perinatal.printable import printable


def reread(stores: Stores, sources: Mapping[str, Source]) -> Iterator[str]:
    """Read again what an earlier reader has typed; yields a line for each file, for people and logs.

    Not what is withdrawn, nor what was refused when it was read again before.
    """
    outdated = [
        item
        for item in stores.landed.all()
        if item.source_id in sources and item.parser_version < sources[item.source_id].parser_version
    ]
    waiting = intake.waiting(stores) if outdated else frozenset()
    for item in outdated:
        decisions = stores.audit.of(item.sha256)
        if item.sha256 in waiting or stores.landed.is_withdrawn(item) or _is_rejected(item, decisions):
            continue
        archived = stores.archive.find(item.sha256)
        if archived is None or hash_of(archived.path) != item.sha256:
            lost = f"{printable(item.original_name)}: its archived bytes are lost or damaged (`perinatal verify`)"
            yield f"{lost}, so {item.title} stays as version {item.parser_version} of its reader has read it"
            continue
        arrival = _arrival_of(sources[item.source_id], item, decisions)
        yield from (table.message for table in intake.take(stores, archived, arrival))


def _arrival_of(source: Source, item: Manifest, decisions: list[dict[str, Any]]) -> Arrival:
    """Return what was known of a landed file when it arrived, with what a person has accepted of it."""
    released = next((entry for entry in reversed(decisions) if entry["decision"] == "released"), None)
    return replace(
        as_it_came(source, item, item.fetched_at),
        dataset=item.dataset if item.dataset in source.dataset_names(item.layout) else None,
        release=item.release,
        is_bundled=item.is_bundled,
        accepted=Acceptance(released["who"], released["why"], frozenset(released["reasons"])) if released else None,
        sheet=item.sheet,
    )


def _is_rejected(item: Manifest, decisions: list[dict[str, Any]]) -> bool:
    """Tell whether what a newer reader made of a file was rejected, or the file corrected: after it had been landed."""
    last = next(reversed(decisions), None)
    return last is not None and last["decision"] in ("rejected", "superseded") and last["at"] >= item.fetched_at
