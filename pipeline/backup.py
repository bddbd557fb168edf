"""Backup and restore of an installation: what cannot be made again, each file by its sha256.

A backup is a folder of its own, `perinatal-<UTC>`, with `backup.json`, which is written last: which files, their
hashes, and what the edition said that was current, table by table. Files that the backup before holds already are
linked, not copied, where the file system can. Editions are not in it: they are built again from it, and compared.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from stat import S_IMODE
from typing import Any

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as typed

from ingest.archive.store import hash_of
from perinatal import state_version
from perinatal.durable import fsync_dir, locked, write_atomically
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
LOCK = ".backup.lock"  # in the folder for backups
RESTORE_LOCK = ".restore.lock"  # in the state folder
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
    """Back up a state folder into a new folder below `into`.

    Raises PerinatalError where `into` lies in the state folder, another backup into it is running, or somebody removes
    a part of the copy meanwhile.
    """
    if into.resolve().is_relative_to(home.root.resolve()):
        raise PerinatalError(f"{into} lies in {home.root}, which is what is backed up: choose a folder elsewhere")
    if not home.root.exists():
        raise PerinatalError(
            f"{home.root} does not exist: there is nothing to back up; PERINATAL_HOME names the folder"
        )
    into.mkdir(parents=True, exist_ok=True)
    with locked(into / LOCK, wait=False) as alone:
        if not alone:
            raise PerinatalError(f"another backup into {into} is running: run this one again when it has ended")
        for left in into.glob(f"{UNFINISHED}*"):  # by a backup that was killed: a running one holds the lock
            shutil.rmtree(left)
        return _make(home, into)


def _make(home: Home, into: Path) -> Saved:
    before = backups(into)
    known = {sha256: before[-1] / name for name, sha256 in read(before[-1]).files.items()} if before else {}
    now = datetime.now(UTC)
    made = into / f"{UNFINISHED}{now:%Y%m%dT%H%M%S}-{os.getpid()}"
    made.mkdir(mode=0o700)
    files, linked = {}, 0
    for path in _kept(home):
        name = path.relative_to(home.root).as_posix()
        if saved := _save(path, made, name, known):
            files[name], is_linked = saved
            linked += is_linked
    record = Record(now.isoformat(timespec="seconds"), __version__, files, *_edition(home))
    write_atomically(made / RECORD, _json(record))
    if gone := [name for name in files if not (made / name).is_file()]:
        raise _removed(made, gone[0])
    final = into / f"{PREFIX}{now:%Y%m%dT%H%M%S}"
    made.rename(final)
    fsync_dir(into)
    return Saved(final, len(files), linked)


def _removed(made: Path, name: str) -> PerinatalError:
    return PerinatalError(f"{made / name} was removed while it was made: run the backup again")


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

    Until all of it is there `home.restoring` stands, and no other command works with the folder. Raises Damaged where a
    file of the backup is missing or differs, PerinatalError where the state folder is in use.
    """
    record = read(folder)
    state_version.require_known(folder)
    home.root.mkdir(parents=True, exist_ok=True)
    with locked(home.root / RESTORE_LOCK, wait=False) as alone:
        if not alone:
            raise PerinatalError(f"another restore into {home.root} is running: wait until it has ended")
        _require_place(home, folder)
        _require_whole(record, folder)
        home.restoring.write_text(folder.resolve().name, encoding="utf-8")
        for name in record.files:
            target = home.root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)  # of a restore that was cut off; it may be one that nobody may write to
            shutil.copy2(folder / name, target)
            if "/" in name:  # what only its owner may read stays so
                shutil.copymode((folder / name).parent, target.parent)
        home.restoring.unlink()
    return record


def _require_place(home: Home, folder: Path) -> None:
    """Raise PerinatalError unless the state folder is empty, or a restore of the same backup into it was cut off."""
    if home.restoring.exists():
        begun = home.restoring.read_text(encoding="utf-8")
        if begun not in ("", folder.resolve().name):
            raise PerinatalError(
                f"{home.root} holds part of {begun}: restore that one, or into a new folder, which PERINATAL_HOME names"
            )
    elif any(path.name != RESTORE_LOCK for path in home.root.iterdir()):
        raise PerinatalError(f"{home.root} is not empty: restore into a new folder, which PERINATAL_HOME names")


def _require_whole(record: Record, folder: Path) -> None:
    damaged = [name for name, sha256 in record.files.items() if not _is_whole(folder / name, sha256)]
    if damaged:
        raise Damaged(
            f"{folder}: {len(damaged)} file(s) are missing or differ from their sha256, first {damaged[0]}; "
            "nothing was restored. Use another backup"
        )


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


def _save(path: Path, made: Path, name: str, known: Mapping[str, Path]) -> tuple[str, bool] | None:
    """Put a file into the backup; returns its sha256, and whether it was linked to the one of the backup before.

    None where it went meanwhile, as a refused file may: once it is open here it can be copied whole.
    """
    try:
        folder_mode = path.parent.stat().st_mode
        source = path.open("rb")
    except FileNotFoundError:
        return None
    with source:
        try:
            return _copy(source, folder_mode, made, name, known)
        except FileNotFoundError:
            raise _removed(made, name) from None


def _copy(
    source: BufferedReader, folder_mode: int, made: Path, name: str, known: Mapping[str, Path]
) -> tuple[str, bool]:
    target, facts = made / name, os.fstat(source.fileno())
    for folder in reversed(Path(name).parents[:-1]):  # not the backup itself, which is for its owner alone
        (made / folder).mkdir(exist_ok=True)
    if target.parent != made:
        target.parent.chmod(S_IMODE(folder_mode))
    sha256 = hashlib.file_digest(source, "sha256").hexdigest()
    same = known.get(sha256)
    if same and _is_whole(same, sha256) and same.stat().st_mode == facts.st_mode:
        with suppress(OSError):  # another file system, or one without links: it is copied
            os.link(same, target)
            return sha256, True
    source.seek(0)
    with target.open("xb") as copy:
        shutil.copyfileobj(source, copy)
    target.chmod(S_IMODE(facts.st_mode))
    os.utime(target, ns=(facts.st_atime_ns, facts.st_mtime_ns))
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
