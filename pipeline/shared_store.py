"""A shared store: archive, landed releases and editions on object storage (any fsspec URL), beside the local state.

Everything works on local files; what is missing on either side is copied, so a lost or doubled call changes nothing.
Bytes and rows are named by their sha256 and never change: two writers that share the same file write the same object.
What says that something exists is written last: a landed release by its record, an edition by its list of files. So a
kill, or another writer, never shows half of anything, and whatever comes back is held against its hash.
Others write to the store too: what its documents say is checked before it names a file or a folder here.

    archive/<aa>/<sha256>, rows/<aa>/<sha256>                    bytes as published; typed rows
    landed/<source>/<dataset>/<release>/<sha256 of bytes>.json   the manifest, and which rows; where the same bytes came
                                                                 again, or a newer reader has read them, a further one
                                                                 with the time, or the reader's version, in its name
    editions/<id>/…, editions/<id>.json                          the files, and the sha256 of each

Not shared: the inbox, quarantine, alerts, people's decisions.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

import fsspec
from pydantic import Field

from expectations.alerts import AlertLog, Breach, Scope
from ingest.archive import store as archive
from ingest.archive import synthetic
from ingest.archive.manifest import ROWS, LandedReleases, Manifest
from ingest.land import foreign
from ingest.land.originals import set_readers
from ingest.registry import all_sources
from perinatal import settings
from perinatal.durable import close_to_others, locked
from perinatal.errors import Damaged, PerinatalError
from perinatal.home import Home
from perinatal.printable import one_line, redacted
from perinatal.records import Record, json_of
from perinatal.scratch import scratch_folder
from publish import edition
from publish.edition import Editions

T = TypeVar("T")

SCOPE = Scope.of("storage")
REMEDY = (
    "A damaged object: remove it and its record (`landed/….json`) from the store; a machine that has the release whole "
    "shares it again. A record of a newer version of this program: update this machine."
)
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True)
class Exchanged:
    """How many landed releases went up to the store and came down from it; a line for each that could not."""

    up: int
    down: int
    problems: tuple[str, ...] = ()

    @property
    def alerted(self) -> tuple[str, ...]:
        """Return the scopes of the alerts that are open for the problems."""
        return (str(SCOPE),) if self.problems else ()


class SharedRelease(Record):
    """The record of a landed release in the store."""

    manifest: Manifest
    rows_sha256: Sha256


def exchange(home: Home) -> Exchanged:
    """Share what is landed here, land what others have shared. Nothing without PERINATAL_STORAGE_URL.

    Each release by itself: one that is damaged keeps no other out. An alert is open until all are sound.
    """
    with _opened() as store:
        if store is None:
            if home.alerts.exists():  # a store that is no longer used has nothing to alert of
                AlertLog(home.alerts).reconcile(SCOPE, [])
            return Exchanged(0, 0)
        shared = store.records()
        landed = {_record_name(item): item for item in LandedReleases(home.landed).history()}
        problems: list[str] = []
        up = _each(sorted(landed.keys() - shared), lambda name: _share(home, store, name, landed[name]), problems)
        down = _each(sorted(shared - landed.keys()), lambda name: _adopt(home, store, name), problems)
        AlertLog(home.alerts).reconcile(SCOPE, [_breach(problems)] if problems else [])
        return Exchanged(up, down, tuple(problems))


def _each(names: Iterable[str], move: Callable[[str], None], problems: list[str]) -> int:
    """Move releases one by one; returns how many were, and adds a line to `problems` for each that is damaged."""
    moved = 0
    for name in names:
        try:
            move(name)
            moved += 1
        except Damaged as error:
            problems.append(f"{one_line(name)}: {error}")
    return moved


def _breach(problems: Sequence[str]) -> Breach:
    return Breach(
        rule="shared_releases_are_sound",
        severity="block",
        message=f"{len(problems)} release(s) could not be exchanged with the shared store, first: {problems[0]}",
        count=len(problems),
        sample_rows=[{"finding": line} for line in problems[:20]],
        remedy=REMEDY,
        why="A machine that lacks a release publishes other figures than the machines that have it.",
    )


def share_edition(home: Home) -> str | None:
    """Put the published edition into the store; returns its name if it was not there."""
    with _opened() as store:
        published = Editions.of(home).current()
        if store is None or published is None or published.name in store.editions():
            return None
        paths = {path.relative_to(published).as_posix(): path for path in published.rglob("*") if path.is_file()}
        files = {name: path for name, path in sorted(paths.items()) if edition.is_part(name)}
        for name, path in files.items():
            store.put(f"editions/{published.name}/{name}", path)
        store.put_json(f"editions/{published.name}.json", {name: archive.hash_of(path) for name, path in files.items()})
        return published.name


def take_edition(home: Home) -> str | None:
    """Make the newest sound edition of the store the current one here; returns its name if it is newer than ours.

    Raises Damaged, when that is done, where an edition was refused that is newer or has an id that cannot be.
    """
    with locked(home.root / ".build.lock"), _opened() as store:
        if store is None:
            return None
        wrong = {name: edition.wrong_id(name) for name in store.editions()}
        refused = [f"{store.root}/editions/{one_line(name)}.json: {why}" for name, why in sorted(wrong.items()) if why]
        published = Editions.of(home).current()
        # one that was made under a wrong clock must not keep the others out for years
        ours = published.name if published and not edition.wrong_id(published.name) else ""
        newer = sorted((name for name, why in wrong.items() if not why and name > ours), reverse=True)
        taken = next((name for name in newer if _each([name], lambda one: _take(home, store, one), refused)), None)
    if refused:
        found = f"current edition: {taken}" if taken else "the current edition stays"
        raise Damaged(f"{len(refused)} edition(s) of the store were refused: {'; '.join(refused)}. {found}")
    return taken


def _take(home: Home, store: Store, name: str) -> None:
    """Make an edition of the store the current one. Raises Damaged unless every name and every byte is sound."""
    files = store.get_json(f"editions/{name}.json", dict[str, Sha256])
    if wrong := [file for file in files if not edition.is_part(file)]:
        raise Damaged(f"{one_line(wrong[0])!r} is not the name of a file of an edition")
    if lacking := [file for file in edition.FILES if file not in files]:
        raise Damaged(f"{lacking[0]} is not in its list of files")
    home.build.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.build) as folder:
        made = Path(folder) / name
        for file, sha256 in files.items():
            store.get(f"editions/{name}/{file}", made / file, sha256)
        close_to_others(made / "restricted")
        Editions.of(home).swap_in(made)


def _record_name(item: Manifest) -> str:
    again = "-" + re.sub(r"\D", "", item.fetched_at) if item.is_again else ""
    reader = f"-p{item.parser_version}" if item.parser_version > 1 else ""
    return f"landed/{item.source_id}/{item.dataset}/{item.release}/{item.sha256}{again}{reader}.json"


def _share(home: Home, store: Store, name: str, item: Manifest) -> None:
    """Upload bytes and rows, then the record that says so. Raises Damaged where they are not whole here."""
    rows = LandedReleases(home.landed).rows_of(item)
    archived = archive.Archive(home.archive).path_of(item.sha256)
    for path in (rows, archived):
        if not path.is_file():
            raise Damaged(f"{path} is missing here, so it is not shared; `perinatal verify` says what to do")
    if archive.hash_of(archived) != item.sha256:
        raise Damaged(f"{archived} is damaged here, so it is not shared; `perinatal verify` says what to do")
    rows_sha256 = archive.hash_of(rows)
    for kind, sha256, path in (("archive", item.sha256, archived), ("rows", rows_sha256, rows)):
        store.put(f"{kind}/{sha256[:2]}/{sha256}", path)
    store.put_json(name, {"manifest": asdict(item), "rows_sha256": rows_sha256})


def _adopt(home: Home, store: Store, name: str) -> None:
    """Land what somebody else has shared, as the next revision here: bytes first, the folder in one rename.

    Raises Damaged where the record is not one that this program could have written, or its bytes are not whole.
    """
    record = store.get_json(name, SharedRelease)
    item, rows_sha256 = record.manifest, record.rows_sha256
    if wrong := foreign.misfit(item):
        raise Damaged(wrong)
    if _record_name(item) != name:
        raise Damaged(f"its manifest is that of {one_line(_record_name(item))}")
    landed, kept = LandedReleases(home.landed), archive.Archive(home.archive)
    with scratch_folder(home.landed, ".landing-") as folder:
        bytes_, work = folder / "bytes", folder / "release"
        store.get(f"archive/{item.sha256[:2]}/{item.sha256}", bytes_, item.sha256)
        store.get(f"rows/{rows_sha256[:2]}/{rows_sha256}", work / ROWS, rows_sha256)
        if item.is_synthetic:
            synthetic.SyntheticHashes(home.synthetic).mark([item.sha256])
        kept.adopt(bytes_, item.sha256, item.bytes)
        with landed.writing(item.source_id, item.dataset, item.release):
            if name not in set(map(_record_name, landed.history(item.source_id, item.dataset))):
                number = landed.next_number(item.source_id, item.dataset, item.release)
                landed.commit(replace(item, revision=number), work)
        set_readers(kept, all_sources().get(item.source_id), item)


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
        """Download a file and check it against its hash. Raises Damaged where they differ, or it cannot be had."""
        with _of_one_object(f"{self.root}/{name}") as where:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.system.get_file(where, str(path))
            found = archive.hash_of(path)
        if found != sha256:
            path.unlink()
            raise Damaged(
                f"{where}: its bytes have the sha256 {found}, not {sha256}; remove it and the record that names it, "
                "and a machine that has it whole shares it again"
            )

    def get_json(self, name: str, kind: type[T]) -> T:
        """Return a small document as a record. Raises Damaged where it is not one, or cannot be had."""
        with _of_one_object(f"{self.root}/{name}") as where:
            content = self.system.cat_file(where)
        try:
            return json_of(kind, content, "its record")
        except PerinatalError as error:
            raise Damaged(f"{error}; a newer version of this program may have written it") from None


@contextmanager
def _of_one_object(where: str) -> Iterator[str]:
    """Tell what is wrong with one object from a store that does not answer."""
    try:
        yield where
    except (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise Damaged(f"{where}: cannot be read ({type(error).__name__})") from None
