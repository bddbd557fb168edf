"""What is known of a file on its way in, beside its bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ingest.archive.manifest import Manifest
from ingest.archive.quarantine import Report
from ingest.registry import Source
from perinatal.dropped_files import check_incoming
from perinatal.errors import PerinatalError

# datasets and releases name folders
FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")


@dataclass(frozen=True)
class Acceptance:
    """A person's decision to take a file although it breaches these rules; None: whatever it breaches."""

    who: str
    why: str
    rules: frozenset[str] | None = None


@dataclass(frozen=True)
class Arrival:
    """What is known of a file beside its bytes. All but the source may be left to recognition.

    `path` is the file as a person named it, `sheet` the sheet of a workbook that is wanted.
    `container` is the sha256 of the zip that it came in; `accepted` lets it pass the arrival gate, its breaches kept
    as warnings. `is_bundled`: it comes with this software. `sha256` is that of its bytes, once they are archived;
    `arrived_at` says when they came, where that was not now (UTC, ISO 8601).
    """

    source: Source
    name: str
    dataset: str | None = None
    release: str | None = None
    url: str | None = None
    etag: str | None = None
    published_on: str | None = None
    is_synthetic: bool = False
    is_bundled: bool = False
    container: str | None = None
    accepted: Acceptance | None = None
    sheet: str | None = None
    path: str | None = None
    sha256: str | None = None
    arrived_at: str | None = None


def as_it_came(source: Source, known: Manifest | Report, at: str) -> Arrival:
    """Return what is known of a file that arrived before: it came `at` that time (UTC, ISO 8601), not now."""
    return Arrival(
        source,
        known.original_name,
        url=known.url,
        etag=known.etag,
        published_on=known.published_on,
        is_synthetic=known.is_synthetic,
        container=known.container,
        arrived_at=at,
    )


def require_file(path: Path) -> Path:
    """Return `path` if it is a file that may come in, else say so in one line."""
    if path.is_dir():
        raise PerinatalError(f"{path}: a folder, not a file")
    if not path.exists():
        raise PerinatalError(f"{path}: no such file")
    check_incoming(path, path.parent)
    return path
