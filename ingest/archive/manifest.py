"""Manifests: what was landed, from where, when, in which bytes. Written last and atomically."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from ingest.number_style import NumberStyle
from perinatal.durable import fsync_dir, locked, write_atomically
from perinatal.errors import PerinatalError
from perinatal.records import read_json

MANIFEST, ROWS, WITHDRAWN = "manifest.json", "rows.parquet", "withdrawn.json"


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Manifest:
    """One landed revision of one release. Dates are ISO 8601 text; `fetched_at` is UTC.

    `container` is the sha256 of the zip that the file came in, where it came in one with other tables. `sheet` and
    `header_line` (a row of the sheet) say where in the file the table stands. `is_bundled`: it came with this software.
    `number_style` says how the file writes its numbers (those landed before 29 November 2026 do not), `date_order`
    whether day or month comes first in dates such as 03/04/2024, where it has any. `is_again`: an earlier revision of
    the release holds the same bytes; they were replaced, and have come again since. `parser_version` is that of the
    source's reader; what a newer one reads again is a further revision that arrived when the first did.
    """

    source_id: str
    dataset: str
    layout: str
    release: str
    revision: int
    status: str
    sha256: str
    content_sha256: str
    bytes: int
    original_name: str
    url: str | None
    etag: str | None
    published_on: str | None
    fetched_at: str
    publisher: str
    licence: str
    audience: str
    is_synthetic: bool
    parser_version: int
    rows_in: int
    rows_landed: int
    rows_quarantined: int
    header: list[str]
    checks: list[dict[str, Any]] = field(default_factory=list)
    container: str | None = None
    number_style: NumberStyle | None = None
    date_order: Literal["day_first", "month_first"] | None = None
    sheet: str | None = None
    header_line: int = 1
    is_bundled: bool = False
    is_again: bool = False

    @property
    def release_key(self) -> str:
        """Name this revision by its content, so that the same bytes have the same key in every installation."""
        return f"{self.source_id}/{self.dataset}/{self.release}/{self.sha256[:12]}"

    @property
    def title(self) -> str:
        """Name it for people."""
        return f"{self.source_id} {self.dataset} {self.release} (revision {self.revision})"

    @property
    def precedence(self) -> tuple[bool, bool, str, str, int]:
        """Order the revisions of a release as `int_release.sql` does: the greatest is in use; real before sample."""
        day = self.published_on or self.fetched_at[:10]
        return not self.is_synthetic, self.status == "final", day, self.fetched_at, self.revision

    def to_json(self) -> str:
        """Return the manifest as readable JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n"


def read(path: Path) -> Manifest:
    """Read one manifest; a damaged one is named."""
    try:
        return read_json(path, Manifest)
    except PerinatalError as error:
        raise PerinatalError(
            f"{error}: not a manifest; remove the folder {path.parent} and land the file again"
        ) from None


def _as_written(path: Path) -> Manifest:
    """Return a manifest; a landing looks at those of its source several times, and they never change once written."""
    found = path.stat()
    return _read_once(path, (found.st_ino, found.st_mtime_ns, found.st_size))


@lru_cache(maxsize=1 << 13)
def _read_once(path: Path, _written: tuple[int, int, int]) -> Manifest:
    return read(path)


def all_synthetic(items: Iterable[Manifest]) -> bool:
    """Tell whether releases are samples, all but those that come with this software."""
    return all(item.is_synthetic for item in items if not item.is_bundled)


def _last_of_bytes(items: Iterable[Manifest]) -> Iterable[Manifest]:
    """Return one revision for the same bytes of a release, so that a release key names one of them.

    The last arrival counts, and of that what the newest reader has made of it.
    """
    found: dict[tuple[str, str, bool], Manifest] = {}
    for item in items:
        key = (item.release_key, item.sha256, item.is_synthetic)
        before = found.get(key, item)
        found[key] = max(before, item, key=lambda one: (one.fetched_at, one.parser_version, one.revision))
    return found.values()


class LandedReleases:
    """Every landed revision: `<source>/<dataset>/<release>/r<revision>/` with rows.parquet and manifest.json."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def release_folder(self, source_id: str, dataset: str, release: str) -> Path:
        """Return the folder of all revisions of one release."""
        return self.root / source_id / dataset / release

    def folder_of(self, item: Manifest) -> Path:
        """Return the folder of one revision."""
        return self.release_folder(item.source_id, item.dataset, item.release) / f"r{item.revision}"

    def rows_of(self, item: Manifest) -> Path:
        """Return the typed rows of one revision."""
        return self.folder_of(item) / ROWS

    def manifest_files(self, source_id: str = "*", dataset: str = "*") -> list[Path]:
        """Return the manifests of all, or of a source or dataset, by path: clock and file system do not matter."""
        return sorted(self.root.glob(f"{source_id}/{dataset}/*/r*/{MANIFEST}"))

    def history(self, source_id: str = "*", dataset: str = "*") -> Iterator[Manifest]:
        """Yield every revision that was ever landed, or those of a source or dataset, by path."""
        for path in self.manifest_files(source_id, dataset):
            yield _as_written(path)

    def all(self, source_id: str = "*", dataset: str = "*") -> Iterator[Manifest]:
        """Yield all landed revisions, or those of a source or dataset; of the same bytes the last revision alone."""
        yield from _last_of_bytes(self.history(source_id, dataset))

    def revisions(self, source_id: str, dataset: str, release: str) -> list[Manifest]:
        """Return the landed revisions of one release, oldest first; of the same bytes the last revision alone."""
        folder = self.release_folder(source_id, dataset, release)
        found = _last_of_bytes(_as_written(path) for path in folder.glob(f"r*/{MANIFEST}"))
        return sorted(found, key=lambda item: item.revision)

    def newest(self, source_id: str, dataset: str, release: str) -> Manifest | None:
        """Return the revision of a release that is in use; None where nothing is landed, or all is withdrawn."""
        return self.first_of(self.revisions(source_id, dataset, release))

    def first_of(self, revisions: Iterable[Manifest]) -> Manifest | None:
        """Return the revision of these that comes before the others in a build; withdrawn ones do not count."""
        standing = (item for item in revisions if not self.is_withdrawn(item))
        return max(standing, key=lambda item: item.precedence, default=None)

    def in_use(self) -> list[Manifest]:
        """Return what a build takes: all real releases, or the sample ones while nothing real is landed.

        What came with this software joins either, and makes no edition alone. Withdrawn ones are left out.
        """
        landed = list(self.all())
        own = [item for item in landed if not item.is_bundled]
        real = [item for item in own if not item.is_synthetic]
        used = [item for item in real or own if not self.is_withdrawn(item)]
        bundled = [item for item in landed if item.is_bundled and not self.is_withdrawn(item)]
        return [*used, *bundled] if used else []

    def is_withdrawn(self, item: Manifest) -> bool:
        """Tell whether a person has taken a revision out of use."""
        return (self.folder_of(item) / WITHDRAWN).exists()

    def mark_withdrawn(self, item: Manifest, who: str, why: str) -> None:
        """Take a revision out of use; its rows and manifest stay."""
        write_atomically(
            self.folder_of(item) / WITHDRAWN, json.dumps({"by": who, "why": why}, ensure_ascii=False) + "\n"
        )

    def unmark_withdrawn(self, item: Manifest) -> None:
        """Put a withdrawn revision back into use."""
        (self.folder_of(item) / WITHDRAWN).unlink()

    @contextmanager
    def writing(self, source_id: str, dataset: str, release: str) -> Iterator[None]:
        """Let one writer at a time add to a release, of all processes."""
        folder = self.release_folder(source_id, dataset, release)
        with locked(folder.parent / f".{release}.lock"):
            yield

    def next_number(self, source_id: str, dataset: str, release: str) -> int:
        """Return the number of the revision that is landed next."""
        folder = self.release_folder(source_id, dataset, release)
        return 1 + max((int(path.name[1:]) for path in folder.glob("r*") if path.name[1:].isdigit()), default=0)

    def commit(self, item: Manifest, work: Path) -> None:
        """Give the folder `work` its final name: manifest last, then one rename."""
        final = self.folder_of(item)
        final.parent.mkdir(parents=True, exist_ok=True)
        with (work / MANIFEST).open("w", encoding="utf-8") as out:
            out.write(item.to_json())
            out.flush()
            os.fsync(out.fileno())
        with (work / ROWS).open("rb") as handle:
            os.fsync(handle.fileno())
        # what only some may read stays readable for the owner alone
        restricted = item.audience == "restricted"
        (work / ROWS).chmod(0o600 if restricted else 0o644)
        work.chmod(0o700 if restricted else 0o755)
        work.rename(final)
        fsync_dir(final.parent)
