"""Is what was landed still there, byte for byte? Archive, manifests and landed rows, each against the others."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from ingest.archive import manifest as manifests
from ingest.archive import store as archive
from ingest.land import decode
from perinatal.errors import PerinatalError
from perinatal.home import Home


def damage(home: Home) -> Iterator[str]:
    """Yield one line for each archived file, manifest or landed table that is damaged or missing."""
    yield from archive.damaged(home)
    for path in sorted(home.landed.glob(f"*/*/*/r*/{manifests.MANIFEST}")):
        try:
            item = manifests.read(path)
        except PerinatalError as error:
            yield str(error)
            continue
        if not archive.place(home, item.sha256).exists():
            yield f"{item.title}: its archived file {item.sha256} is missing; land the published file again"
        trouble = _rows_trouble(home, item)
        if trouble:
            yield f"{item.title}: rows.parquet {trouble}; remove the folder {path.parent} and land the file again"


def _rows_trouble(home: Home, item: manifests.Manifest) -> str | None:
    rows = item.folder(home) / manifests.ROWS
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
