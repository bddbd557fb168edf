"""Who may read an archived original: its owner alone, unless it is landed as a public release without prose."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.archive import manifest as manifests
from ingest.archive.manifest import LandedReleases, Manifest
from ingest.archive.store import FOR_ALL, FOR_OWNER, Archive
from ingest.registry import Source, all_sources
from perinatal.errors import PerinatalError


def is_for_all(source: Source | None, item: Manifest) -> bool:
    """Tell whether everybody may read the original of a landed release; prose may name persons that its rows mask."""
    if source is None or item.layout not in source.columns:
        return False
    return item.audience == "public" and not source.holds_prose(item.layout)


def set_readers(archive: Archive, source: Source | None, item: Manifest) -> None:
    """Open the original of a release that has just been landed to everybody, or close it to all but its owner."""
    archive.path_of(item.sha256).chmod(FOR_ALL if is_for_all(source, item) else FOR_OWNER)


def close_others(archive: Archive, landed: LandedReleases) -> int:
    """Let only the owner read what was archived by an earlier version and is not for all; returns how many files."""
    for_all = {item.sha256 for item in _readable(landed) if is_for_all(all_sources().get(item.source_id), item)}
    closed = [path for path in archive.files() if path.name not in for_all and path.stat().st_mode & 0o077]
    for path in closed:
        path.chmod(FOR_OWNER)
    return len(closed)


def _readable(landed: LandedReleases) -> Iterator[Manifest]:
    for path in landed.manifest_files():
        try:
            yield manifests.read(path)
        except PerinatalError:
            continue  # `perinatal verify` names it; its original is closed
