"""Is what was landed still there, byte for byte? Archive, manifests and landed rows, each against the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb

from ingest.archive import manifest as manifests
from ingest.archive.manifest import LandedReleases
from ingest.archive.store import Archive
from ingest.land import decode
from perinatal.errors import PerinatalError


def damage(archive: Archive, landed: LandedReleases) -> Iterator[str]:
    """Yield one line for each archived file, manifest or landed table that is damaged or missing."""
    yield from archive.damaged()
    for path in landed.manifest_files():
        try:
            item = manifests.read(path)
        except PerinatalError as error:
            yield str(error)
            continue
        if not archive.path_of(item.sha256).exists():
            yield f"{item.title}: its archived file {item.sha256} is missing; land the published file again"
        trouble = _rows_trouble(landed.rows_of(item), item)
        if trouble:
            yield f"{item.title}: rows.parquet {trouble}; remove the folder {path.parent} and land the file again"


def _rows_trouble(rows: Path, item: manifests.Manifest) -> str | None:
    if not rows.exists():
        return "is missing"
    try:
        content = decode.content_of(rows)
    except duckdb.Error:
        return "cannot be read"
    if not decode.is_comparable(item.content_sha256):
        same = f"-{item.rows_landed:x}-" in content
    else:
        same = content == item.content_sha256
    return None if same else "does not hold the content that was landed"
