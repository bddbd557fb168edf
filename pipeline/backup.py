"""Backup and restore of an installation: what cannot be made again, each file by its sha256.

A backup is a folder of its own, `perinatal-<UTC>`, with `backup.json`, which is written last: which files, their
hashes, and what the edition said that was current, table by table. Files that the backup before holds already are
linked, not copied, where the file system can. Editions are not in it: they are built again from it, and compared.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as typed

from ingest.archive.store import hash_of
from perinatal import state_version
from perinatal.durable import fsync_dir, write_atomically
from perinatal.errors import Damaged, PerinatalError
from perinatal.home import Home
from perinatal.records import read_json
from perinatal.settings import PROJECT_ROOT
from perinatal.version import __version__
from pipeline import fingerprint
from publish import edition
from publish.contents import content_hashes
from publish.edition import Editions

RECORD, PREFIX, UNFINISHED = "backup.json", "perinatal-", ".unfinished-"
RESTORING = ".restoring"  # stands in a state folder until all of a backup is there
# in this order: what is landed names bytes that are archived before it
KEPT = ("state.json", "decisions.jsonl", "synthetic.txt", "themes", "alerts", "probes", "quarantine", "inbox")
KEPT_LAST = ("landed", "archive")


@typed(frozen=True, config=ConfigDict(extra="forbid"))
class Record:
    """What `backup.json` says. `files` has the sha256 of each file; `content` that of each table of the edition."""

    made_at: str
    program: str
    files: dict[str, str]
    edition_id: str | None
    code: dict[str, str]
    content: dict[str, str]


@dataclass(frozen=True)
class Saved:
    """A backup that was made: where, how many files, how many of them were linked to the backup before."""

    folder: Path
    files: int
    linked: int


def backup(home: Home, into: Path) -> Saved:
    """Back up a state folder into a new folder below `into`, which must lie elsewhere, or PerinatalError is raised."""
    if into.resolve().is_relative_to(home.root.resolve()):
        raise PerinatalError(f"{into} lies in {home.root}, which is what is backed up: choose a folder elsewhere")
    if not home.root.exists():
        raise PerinatalError(
            f"{home.root} does not exist: there is nothing to back up; PERINATAL_HOME names the folder"
        )
    into.mkdir(parents=True, exist_ok=True)
    for left in into.glob(f"{UNFINISHED}*"):
        shutil.rmtree(left)
    before = backups(into)
    known = {sha256: before[-1] / name for name, sha256 in read(before[-1]).files.items()} if before else {}
    now = datetime.now(UTC)
    made = into / f"{UNFINISHED}{now:%Y%m%dT%H%M%S}-{os.getpid()}"
    made.mkdir(mode=0o700)
    files, linked = {}, 0
    for path in _kept(home):
        name = path.relative_to(home.root).as_posix()
        with suppress(FileNotFoundError):  # a probe or a quarantined file that went meanwhile
            files[name], is_linked = _save(path, made / name, made, known)
            linked += is_linked
    record = Record(now.isoformat(timespec="seconds"), __version__, files, *_edition(home))
    write_atomically(made / RECORD, _json(record))
    final = into / f"{PREFIX}{now:%Y%m%dT%H%M%S}"
    made.rename(final)
    fsync_dir(into)
    return Saved(final, len(files), linked)


def backups(into: Path) -> list[Path]:
    """Return the complete backups in a folder, oldest first."""
    return sorted(path.parent for path in into.glob(f"{PREFIX}*/{RECORD}"))


def read(folder: Path) -> Record:
    """Read what a backup says of itself."""
    if not (folder / RECORD).exists():
        found = [path.name for path in backups(folder)] if folder.is_dir() else []
        hint = f"; it holds the backups {', '.join(found)}: name one" if found else ""
        raise PerinatalError(f"{folder} is no complete backup: it has no {RECORD}{hint}")
    return read_json(folder / RECORD, Record)


def restore(home: Home, folder: Path) -> Record:
    """Bring a backup into a state folder that is empty, each file held against its hash; one that was cut off goes on.

    Raises Damaged where a file of the backup is missing or differs, PerinatalError where the state folder is in use.
    """
    record = read(folder)
    state_version.require_known(folder)
    mark = home.root / RESTORING
    if home.root.exists() and not mark.exists() and any(home.root.iterdir()):
        raise PerinatalError(f"{home.root} is not empty: restore into a new folder, which PERINATAL_HOME names")
    home.root.mkdir(parents=True, exist_ok=True)
    mark.touch()
    damaged = [name for name, sha256 in record.files.items() if not _is_whole(folder / name, sha256)]
    if damaged:
        raise Damaged(
            f"{folder}: {len(damaged)} file(s) are missing or differ from their sha256, first {damaged[0]}; "
            "nothing was restored. Use another backup"
        )
    for name in record.files:
        target = home.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)  # of a restore that was cut off; it may be one that nobody may write to
        shutil.copy2(folder / name, target)
        if "/" in name:  # what only its owner may read stays so
            shutil.copymode((folder / name).parent, target.parent)
    mark.unlink()
    return record


def differing(record: Record, database: Path) -> list[str] | None:
    """Return the tables of a rebuilt edition that say something else than when the backup was made.

    None where that cannot be compared: no edition was there then, or this program computes otherwise.
    """
    if not record.content or record.code != _code():
        return None
    now = content_hashes(database)
    return sorted(name for name in now.keys() | record.content.keys() if now.get(name) != record.content.get(name))


def _kept(home: Home) -> Iterator[Path]:
    for name in (*KEPT, *KEPT_LAST):
        top = home.root / name
        found = sorted(top.rglob("*")) if top.is_dir() else [top]
        for path in found:
            below = path.relative_to(home.root).parts
            if path.is_file() and not path.is_symlink() and not any(part.startswith(".") for part in below):
                yield path


def _save(path: Path, target: Path, made: Path, known: Mapping[str, Path]) -> tuple[str, bool]:
    """Put a file into the backup; returns its sha256, and whether it was linked to the one of the backup before."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.parent != made:  # the backup itself is for its owner alone, whatever the state folder is
        shutil.copymode(path.parent, target.parent)
    sha256 = hash_of(path)
    same = known.get(sha256)
    if same and _is_whole(same, sha256) and same.stat().st_mode == path.stat().st_mode:
        with suppress(OSError):  # another file system, or one without links: it is copied
            os.link(same, target)
            return sha256, True
    shutil.copy2(path, target)
    return hash_of(target), False


def _is_whole(path: Path, sha256: str) -> bool:
    return path.is_file() and hash_of(path) == sha256


def _edition(home: Home) -> tuple[str | None, dict[str, str], dict[str, str]]:
    standing = Editions.of(home).current()
    if standing is None:
        return None, {}, {}
    made_by = edition.info(standing)["fingerprint_parts"]
    content = content_hashes(standing / edition.DATABASE)
    return standing.name, {name: digest for name, digest in made_by.items() if name in _code()}, content


def _code() -> dict[str, str]:
    """Return the part of the fingerprint that is the program's, not the releases'."""
    return fingerprint.code_parts(PROJECT_ROOT)


def _json(record: Record) -> str:
    written: dict[str, Any] = asdict(record)
    return json.dumps(written, ensure_ascii=False, indent=1) + "\n"
