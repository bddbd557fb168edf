"""Releases that come with this software: landed like any other file, once."""

from __future__ import annotations

from ingest.archive.manifest import LandedReleases
from ingest.archive.store import hash_of
from ingest.land import intake
from ingest.land.arriving_file import Arrival
from ingest.registry import all_sources
from ingest.stores import Stores
from perinatal.errors import RefusedAtArrival
from perinatal.home import Home


def land(home: Home) -> None:
    """Land the bundled releases that are not landed yet, where there is anything else to build.

    Raises RefusedAtArrival where one does not meet the standards of arrival.
    """
    landed = LandedReleases(home.landed)
    if not landed.in_use():
        return
    for source in all_sources().values():
        if source.bundled is None:
            continue
        path = source.folder / source.bundled
        digest = hash_of(path)
        if any(item.sha256 == digest for item in landed.all(source.id)):
            continue
        for table in intake.take_file(Stores.of(home), path, Arrival(source, path.name, is_bundled=True)):
            if table.what == "refused":
                raise RefusedAtArrival(table.message, alerted=table.alerted)
