"""What of a file is landed already: in use, replaced since, withdrawn, or landed as something else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from ingest.archive.manifest import LandedReleases, Manifest
from ingest.land.arriving_file import Arrival
from ingest.land.content_hash import content_of, is_sha256
from ingest.registry import Source

LEAST: Final = 10  # rows; tables of fewer may agree by chance (see also `not_another_year_again`)


def same_bytes(landed: LandedReleases, sha256: str, arrival_: Arrival) -> Iterator[Manifest]:
    """Yield the releases of a source that hold these very bytes, as far as a person asks for them."""
    said = (arrival_.dataset, arrival_.release, arrival_.sheet and arrival_.sheet.casefold())
    for item in landed.all(arrival_.source.id):
        known = (item.dataset, item.release, (item.sheet or "").casefold())
        if item.sha256 == sha256 and all(word in (None, name) for word, name in zip(said, known, strict=True)):
            yield item


def same_content(landed: LandedReleases, new: Manifest, revisions: Iterable[Manifest]) -> list[Manifest]:
    """Return the revisions of its release that hold the content of a file.

    A final release that confirms a provisional one is news all the same.
    """
    return [
        item for item in revisions if new.status in ("provisional", item.status) and _content_agrees(landed, item, new)
    ]


def read_earlier(landed: LandedReleases, new: Manifest, revisions: Iterable[Manifest]) -> Manifest | None:
    """Return the revision that is an earlier reader's reading of the same arrival; None for bytes that come again.

    Bytes that are in use of their status cannot come again; replaced ones are those of the same moment.
    """
    same = (item for item in revisions if (item.sha256, item.status) == (new.sha256, new.status))
    found = (item for item in same if item.parser_version < new.parser_version)
    return next((item for item in found if item.fetched_at == new.fetched_at or is_counted(landed, item)), None)


def is_counted(landed: LandedReleases, item: Manifest) -> bool:
    """Tell whether a revision is the one that counts of its status: not replaced since, and not withdrawn."""
    return landed.first_of(_like(landed, item)) == item


def in_its_way(landed: LandedReleases, new: Manifest) -> Manifest | None:
    """Return the revision that stays in use although this one is landed."""
    standing = landed.first_of(_of_kind(landed, new))
    return None if standing == new else standing


def later(landed: LandedReleases, new: Manifest) -> Manifest | None:
    """Return the revision of the same status that would stay before one that is about to be landed."""
    standing = landed.first_of(_like(landed, new))
    number = landed.next_number(new.source_id, new.dataset, new.release)
    is_before = standing is not None and standing.precedence > replace(new, revision=number).precedence
    return standing if is_before else None


def elsewhere(landed: LandedReleases, source: Source, new: Manifest) -> Manifest | None:
    """Return another dataset or release of the source that is in use with the content of a file.

    Files whose rows replace each other one by one say in every row what it is about: they may repeat each other.
    """
    if new.rows_landed < LEAST or source.datasets[new.layout].scope == "row":
        return None
    others = (
        item
        for item in landed.all(source.id)
        if (item.dataset, item.release) != (new.dataset, new.release) and item.is_synthetic == new.is_synthetic
    )
    return next((item for item in others if _content_agrees(landed, item, new) and _is_in_use(landed, item)), None)


def _of_kind(landed: LandedReleases, item: Manifest) -> list[Manifest]:
    """Return the revisions of a release; sample and real ones of one name are separate histories."""
    found = landed.revisions(item.source_id, item.dataset, item.release)
    return [one for one in found if one.is_synthetic == item.is_synthetic]


def _like(landed: LandedReleases, item: Manifest) -> list[Manifest]:
    return [one for one in _of_kind(landed, item) if one.status == item.status]


def _is_in_use(landed: LandedReleases, item: Manifest) -> bool:
    return landed.first_of(_of_kind(landed, item)) == item


def _content_agrees(landed: LandedReleases, earlier: Manifest, new: Manifest) -> bool:
    """Compare content hashes; one made in another way is made anew from the landed rows."""
    known = earlier.content_sha256
    if earlier.rows_landed == new.rows_landed and not is_sha256(known):
        _, known = content_of(landed.rows_of(earlier))
    return known == new.content_sha256
