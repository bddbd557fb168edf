"""A shared store: archive, landed releases and editions on object storage (any fsspec URL), beside the local state.

Everything works on local files; what is missing on either side is copied, so a lost or doubled call changes nothing.
Bytes and rows are named by their sha256 and never change: two writers that share the same file write the same object.
What says that something exists is written last: a landed release by its record, an edition by its list of files. So a
kill, or another writer, never shows half of anything, and whatever comes back is held against its hash.

    archive/<aa>/<sha256>, rows/<aa>/<sha256>                    bytes as published; typed rows
    landed/<source>/<dataset>/<release>/<sha256 of bytes>.json   the manifest, and which rows
    editions/<id>/…, editions/<id>.json                          the files, and the sha256 of each

Not shared: the inbox, quarantine, alerts, people's decisions.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import fsspec

from ingest.archive import manifest as manifests
from ingest.archive import store as archive
from ingest.archive import synthetic
from ingest.archive.manifest import LandedReleases
from ingest.land.originals import set_readers
from ingest.registry import all_sources
from perinatal import settings
from perinatal.durable import locked
from perinatal.errors import Damaged, PerinatalError
from perinatal.home import Home
from perinatal.printable import redacted
from perinatal.scratch import scratch_folder
from publish.edition import Editions


@dataclass(frozen=True)
class Exchanged:
    """How many landed releases went up to the store and came down from it."""

    up: int
    down: int


def exchange(home: Home) -> Exchanged:
    """Share what is landed here, land what others have shared. Nothing without PERINATAL_STORAGE_URL."""
    with _opened() as store:
        if store is None:
            return Exchanged(0, 0)
        shared = store.records()
        landed = {_record_name(item): item for item in manifests.LandedReleases(home.landed).all()}
        for name, item in landed.items():
            if name not in shared:
                _share(home, store, name, item)
        missing = sorted(shared - set(landed))
        for name in missing:
            _adopt(home, store, name)
        return Exchanged(len(set(landed) - shared), len(missing))


def share_edition(home: Home) -> str | None:
    """Put the published edition into the store; returns its name if it was not there."""
    with _opened() as store:
        published = Editions.of(home).current()
        if store is None or published is None or published.name in store.editions():
            return None
        files = {path.relative_to(published).as_posix(): path for path in published.rglob("*") if path.is_file()}
        for name, path in files.items():
            store.put(f"editions/{published.name}/{name}", path)
        hashes = {name: archive.hash_of(path) for name, path in sorted(files.items())}
        store.put_json(f"editions/{published.name}.json", hashes)
        return published.name


def take_edition(home: Home) -> str | None:
    """Make the newest edition of the store the current one here; returns its name if it is newer than ours."""
    with locked(home.root / ".build.lock"), _opened() as store:
        published = Editions.of(home).current()
        newest = max(store.editions(), default=None) if store else None
        if store is None or newest is None or (published and newest <= published.name):
            return None
        home.build.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.build) as folder:
            made = Path(folder) / newest
            for name, sha256 in store.get_json(f"editions/{newest}.json").items():
                store.get(f"editions/{newest}/{name}", made / name, sha256)
            _keep_apart(made / "restricted")
            Editions.of(home).swap_in(made)
        return newest


def _record_name(item: manifests.Manifest) -> str:
    return f"landed/{item.source_id}/{item.dataset}/{item.release}/{item.sha256}.json"


def _share(home: Home, store: Store, name: str, item: manifests.Manifest) -> None:
    """Upload bytes and rows, then the record that says so."""
    rows = LandedReleases(home.landed).folder_of(item) / manifests.ROWS
    rows_sha256 = archive.hash_of(rows)
    for kind, sha256, path in (
        ("archive", item.sha256, archive.Archive(home.archive).path_of(item.sha256)),
        ("rows", rows_sha256, rows),
    ):
        store.put(f"{kind}/{sha256[:2]}/{sha256}", path)
    store.put_json(name, {"manifest": asdict(item), "rows_sha256": rows_sha256})


def _adopt(home: Home, store: Store, name: str) -> None:
    """Land what somebody else has shared, as the next revision here: bytes first, the folder in one rename."""
    record = store.get_json(name)
    item, rows_sha256 = manifests.Manifest(**record["manifest"]), record["rows_sha256"]
    if item.is_synthetic:
        synthetic.SyntheticHashes(home.synthetic).mark([item.sha256])
    with scratch_folder(home.landed, ".landing-") as folder:
        bytes_, work = folder / "bytes", folder / "release"
        store.get(f"archive/{item.sha256[:2]}/{item.sha256}", bytes_, item.sha256)
        archive.Archive(home.archive).adopt(bytes_, item.sha256, item.bytes)
        store.get(f"rows/{rows_sha256[:2]}/{rows_sha256}", work / manifests.ROWS, rows_sha256)
        with manifests.LandedReleases(home.landed).writing(item.source_id, item.dataset, item.release):
            there = manifests.LandedReleases(home.landed).revisions(item.source_id, item.dataset, item.release)
            if item.sha256 not in {one.sha256 for one in there}:
                number = manifests.LandedReleases(home.landed).next_number(item.source_id, item.dataset, item.release)
                manifests.LandedReleases(home.landed).commit(replace(item, revision=number), work)
        set_readers(archive.Archive(home.archive), all_sources().get(item.source_id), item)


def _keep_apart(folder: Path) -> None:
    """Let only the owner read what is restricted."""
    if folder.exists():
        folder.chmod(0o700)
        for path in folder.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)


@contextmanager
def _opened() -> Iterator[Store | None]:
    """Yield the store of the settings, or None without one; an error of the store becomes one clear line."""
    url = settings.get().storage_url
    if not url:
        yield None
        return
    try:
        # what other machines write must be seen: no listing is remembered
        system, root = fsspec.core.url_to_fs(url, use_listings_cache=False, skip_instance_cache=True)
        yield Store(system, root.rstrip("/"))
    except ImportError as error:
        raise PerinatalError(f"PERINATAL_STORAGE_URL: {error}; install the extra `team`") from None
    except PerinatalError:
        raise
    except Exception as error:  # each kind of store has errors of its own
        reason = redacted(f"the shared store {url} cannot be used ({type(error).__name__}: {error})", url)
        raise PerinatalError(
            f"{reason}; what is landed and published here stays, and is shared by the next run"
        ) from None


@dataclass(frozen=True)
class Store:
    """Objects below one URL, by name."""

    system: Any
    root: str

    def records(self) -> set[str]:
        """Return the names of the landed releases that are complete."""
        return {name for name in self._names("landed") if name.endswith(".json")}

    def editions(self) -> set[str]:
        """Return the editions that are complete."""
        names = (name.split("/") for name in self._names("editions"))
        return {parts[1].removesuffix(".json") for parts in names if len(parts) == 2 and parts[1].endswith(".json")}

    def _names(self, folder: str) -> list[str]:
        try:
            found = self.system.find(f"{self.root}/{folder}")
        except FileNotFoundError:
            return []
        return [name[len(self.root) + 1 :] for name in found]

    def put(self, name: str, path: Path) -> None:
        """Upload a file, unless it is there in its full length."""
        where = f"{self.root}/{name}"
        if not (self.system.exists(where) and self.system.size(where) == path.stat().st_size):
            self.system.makedirs(os.path.dirname(where), exist_ok=True)  # noqa: PTH120 - an address, not a path
            self.system.put_file(str(path), where)

    def put_json(self, name: str, content: dict[str, Any]) -> None:
        """Write a small document: on object storage it is there whole or not at all."""
        where = f"{self.root}/{name}"
        self.system.makedirs(os.path.dirname(where), exist_ok=True)  # noqa: PTH120
        self.system.pipe_file(where, json.dumps(content, ensure_ascii=False, sort_keys=True).encode())

    def get(self, name: str, path: Path, sha256: str) -> None:
        """Download a file and check it against its hash. Raises Damaged where they differ."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.system.get_file(f"{self.root}/{name}", str(path))
        found = archive.hash_of(path)
        if found != sha256:
            path.unlink()
            raise Damaged(
                f"{self.root}/{name}: its bytes have the sha256 {found}, not {sha256}; remove it and share it again"
            )

    def get_json(self, name: str) -> dict[str, Any]:
        """Return a small document."""
        found: dict[str, Any] = json.loads(self.system.cat_file(f"{self.root}/{name}"))
        return found
