"""A manifest that another machine has written: what may keep it from being landed here.

Its words name folders, and every later build reads it: so it must fit the sources of this program, as landing makes
sure of for the files that arrive here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from ingest.archive.manifest import Manifest
from ingest.land.arriving_file import FOLDER_NAME
from ingest.land.content_hash import is_sha256
from ingest.registry import Source, all_sources
from perinatal.printable import printable


def misfit(item: Manifest) -> str | None:
    """Return the first thing that is wrong with a manifest, or None."""
    source = all_sources().get(item.source_id)
    if source is None:
        return f"no source is called {printable(item.source_id)!r} here; it may be of a newer version of this program"
    return next(_misfits(item, source), None)


def _misfits(item: Manifest, source: Source) -> Iterator[str]:
    for what, name in (("dataset", item.dataset), ("release", item.release)):
        if not FOLDER_NAME.fullmatch(name):
            yield f"{printable(name)!r} cannot be the name of a {what}"
    if item.layout not in source.datasets:
        yield f"source {source.id} has no dataset {printable(item.layout)!r} here"
    elif (names := source.dataset_names(item.layout)) and item.dataset not in names:
        yield f"source {source.id} has no dataset {printable(item.dataset)!r} here"
    if not is_sha256(item.sha256):
        yield f"{printable(item.sha256)!r} is not a sha256"
    if source.audience == "restricted" != item.audience:
        yield f"source {source.id} is restricted, but this says {printable(item.audience)!r}"
    try:
        datetime.fromisoformat(item.fetched_at)
        date.fromisoformat(item.published_on or item.fetched_at[:10])
    except ValueError as error:
        yield printable(str(error))
