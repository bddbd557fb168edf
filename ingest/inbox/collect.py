"""The inbox: what people drop in `inbox/<source>/` is recognised, landed and moved out; nothing is ever lost.

A file leaves the inbox only when its bytes are in the archive, and landed or in quarantine. What cannot be taken
safely (links, devices, a folder of no source) stays where it is under an alert. A file that still grows is left for
the next look. `<name>.yml` beside a file may say `dataset`, `release` and `published_on` of this one file, or, where
no file is beside it, of one that waits in quarantine.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from expectations import alerts
from ingest.archive import store as archive
from ingest.archive.quarantine import Report
from ingest.inbox import note as notes
from ingest.land import intake
from ingest.land import quarantine_decisions as decisions
from ingest.land.arriving_file import Arrival, as_it_came
from ingest.land.intake import Taken
from ingest.registry import Source
from ingest.stores import FetchStores
from perinatal import dropped_files
from perinatal.durable import locked
from perinatal.errors import PerinatalError
from perinatal.errors_in_words import in_words
from perinatal.printable import printable

LEFT: Final = "left_in_inbox"
NOT_RELEASES: Final = ("themes",)  # folders of the inbox that hold something else


@dataclass(frozen=True)
class Dropped:
    """What became of one file in the inbox: `taken` (one result a table), or `left` there with the reason.

    `needs_person` tells a file that a person must look after from one that is only not whole yet.
    """

    source_id: str
    name: str
    taken: tuple[Taken, ...] = ()
    left: str = ""
    needs_person: bool = False


@dataclass(frozen=True)
class Found:
    """A file in the inbox: where, whose folder it lies in (None: no source's), its `.yml` if it has one.

    `others` are files that this `.yml` may be about as well.
    """

    path: Path
    source: Source | None
    note_file: Path | None = None
    others: tuple[str, ...] = ()


def collect(
    stores: FetchStores, sources: Mapping[str, Source], quiet_seconds: float, only: Collection[str] = ()
) -> list[Dropped]:
    """Take everything in the inbox that is whole, in the order of its names; `only` names the sources to look at."""
    if not stores.inbox.is_dir():
        return []
    with locked(stores.inbox.with_name(".inbox.lock")):
        found = [(path, path.relative_to(stores.inbox).parts[0]) for path in _walk(stores.inbox)]
        paths = [path for path, first in found if first not in NOT_RELEASES and (not only or first in only)]
        stable = set(dropped_files.stable_files(paths, quiet_seconds))
        growing = [
            Dropped(_folder(stores, path), dropped_files.usable_name(path.name), left="not whole yet")
            for path in paths
            if path not in stable and not dropped_files.is_hidden(path.name)
        ]
        dropped = [_isolated(stores, found) for found in _paired(stores, sorted(stable), sources)]
        _tell(stores, dropped, only)
    return [*growing, *dropped]


def _walk(folder: Path) -> Iterator[Path]:
    """Yield everything below a folder that is no folder itself; links to folders are not followed."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        yield folder  # refused in its turn, as what is no file
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path))
        else:
            yield Path(entry.path)


def _folder(stores: FetchStores, path: Path) -> str:
    """Return the name of the folder in the inbox that a file lies in ("" for the inbox itself)."""
    parts = path.relative_to(stores.inbox).parts
    return parts[0] if len(parts) > 1 else ""


def _paired(stores: FetchStores, stable: list[Path], sources: Mapping[str, Source]) -> Iterator[Found]:
    """Put each `.yml` to its file (`a.csv.yml` or `a.yml` to `a.csv`); one without a file stands for itself."""
    beside = {path for path in stable if path.suffix.lower() in notes.SUFFIXES}
    note_of: dict[Path, Path | None] = {}
    for path in stable:
        if path not in beside:
            names = [path.with_name(stem + end) for stem in (path.name, path.stem) for end in notes.SUFFIXES]
            note_of[path] = next((name for name in names if name in beside), None)
    for path, note_file in note_of.items():
        others = (other.name for other, its in note_of.items() if note_file and its == note_file and other != path)
        yield Found(path, sources.get(_folder(stores, path)), note_file, tuple(others))
    for path in sorted(beside - set(note_of.values())):
        yield Found(path, sources.get(_folder(stores, path)))


class _Waits(PerinatalError):
    """Nothing is wrong; there is nothing to take yet."""


def _isolated(stores: FetchStores, found: Found) -> Dropped:
    """Take one file; whatever goes wrong with it is reported, and must not keep the others from landing."""
    folder, name = _folder(stores, found.path), dropped_files.usable_name(found.path.name)
    try:
        return Dropped(folder, name, tuple(_take(stores, found)))
    except _Waits as error:
        return Dropped(folder, name, left=str(error))
    except Exception as error:
        kind = "" if isinstance(error, PerinatalError) else f"unexpected {type(error).__name__}: "
        message = "".join(c if c.isprintable() else "?" for c in in_words(error) or f"{kind}{error}")
        return Dropped(folder, name, left=message.removeprefix(f"{name}: "), needs_person=True)


def _take(stores: FetchStores, found: Found) -> list[Taken]:
    """Archive a file, land it, and move it out of the inbox. Raises for what must be left where it is."""
    if found.source is None:
        what = "lies in no source's folder; drop it in inbox/<source>/ (`perinatal sources` lists them)"
        raise dropped_files.Unusable("no_source", what)
    unsafe = _unsafe_name(found.path, stores.inbox / found.source.id)
    before = dropped_files.signature(found.path)
    arrival = Arrival(found.source, dropped_files.usable_name(found.path.name))
    if unsafe:
        taken = [intake.put_in_quarantine(stores, stores.archive.put(found.path), arrival, unsafe.reason, str(unsafe))]
    elif found.note_file is None and found.path.suffix.lower() in notes.SUFFIXES:
        taken = _take_again(stores, found.source, found.path)
    else:
        archived = stores.archive.put(found.path)
        taken = intake.take(stores, archived, _described(found, archived, arrival))
    if dropped_files.signature(found.path) == before:  # else somebody has put another file in its place
        found.path.unlink()
    if found.note_file:
        stores.archive.put(found.note_file)
        found.note_file.unlink()
    return taken


def _described(found: Found, archived: archive.Archived, arrival: Arrival) -> Arrival:
    """Add what the note says that lies beside a file. Raises Unusable where it is not about this file alone."""
    if found.note_file is None:
        return arrival
    note, name = notes.read(found.note_file), dropped_files.usable_name(found.note_file.name)
    if found.others:
        what = f"the note {name} may be about this file or about {', '.join(map(printable, found.others))}"
        raise dropped_files.Unusable("whose_note", f"{what}; call it {arrival.name}.yml if it is about this one")
    if not note.is_of(archived.sha256):
        what = f"the note {name} is about a file with the sha256 {note.sha256}, and this one has {archived.sha256[:12]}"
        raise dropped_files.Unusable(
            "whose_note", f"{what}; correct the note, or move one of the two away until the other is taken"
        )
    return note.added_to(arrival)


def _unsafe_name(path: Path, folder: Path) -> dropped_files.Unusable | None:
    """Return what is wrong with a plain file's name; raise for what is no plain file, which is left alone."""
    try:
        dropped_files.check_incoming(path, folder)
    except dropped_files.Unusable as error:
        if error.reason != "unsafe_name" or not stat.S_ISREG(path.lstat().st_mode):
            raise
        return error
    return None


def _take_again(stores: FetchStores, source: Source, note_file: Path) -> list[Taken]:
    """Land a quarantined file anew with what a `.yml` says that came after it."""
    note = notes.read(note_file)
    own = [report for _, report in stores.quarantine.reports() if report.source_id == source.id]
    if note.sha256:
        found = [report for report in own if note.is_of(report.sha256)]
    else:
        found = [r for r in own if note_file.stem in (r.original_name, Path(r.original_name).stem)]
        if coming := _unfinished(note_file):
            raise _Waits(f"waits for {', '.join(coming)}, which it may be about")
    if not found:
        raise _Waits("waits for the file that it is about")
    if len(found) > 1:
        raise _whose(found)
    [report] = found
    known = as_it_came(source, report, report.arrived_at)
    taken = intake.take(stores, decisions.bytes_of(stores, report), note.added_to(known))
    stores.archive.put(note_file)
    return taken


def _unfinished(note_file: Path) -> list[str]:
    """Return files beside a note that have its name and are not whole yet: half downloaded, or dropped just now."""
    stem = note_file.stem.lower()
    files = (path for path in note_file.parent.iterdir() if not path.is_dir())
    beside = (path for path in files if path.suffix.lower() not in notes.SUFFIXES)
    bare = {path: path.name.lower().lstrip(".~$") for path in beside}
    return [printable(path.name) for path, name in sorted(bare.items()) if name == stem or name.startswith(f"{stem}.")]


def _whose(found: list[Report]) -> dropped_files.Unusable:
    """Say which of several refused files a note may be about, and how it says which."""
    listed = "; ".join(
        f"{report.original_name} of {report.arrived_at[:10]}, sha256 {report.sha256[:12]} ({report.reasons[0]['rule']})"
        for report in sorted(found, key=lambda one: one.arrived_at)
    )
    how = f'put its sha256 into the note, for example `sha256: "{found[0].sha256[:12]}"`'
    what = f"{len(found)} refused files have this name: {listed}"
    return dropped_files.Unusable("whose_note", f"{what}. A note is about one of them: {how}")


def _tell(stores: FetchStores, dropped: list[Dropped], only: Collection[str]) -> None:
    """Keep an alert open for each file that a person must look after; close those of files that are gone."""
    stuck = {alerts.Scope.of("inbox", item.source_id, item.name): item for item in dropped if item.needs_person}
    for scope, item in stuck.items():
        where = stores.inbox / item.source_id
        breach = alerts.Breach(LEFT, "warn", f"{item.name}: {item.left}", remedy=f"Look at it in {where}.")
        stores.alerts.reconcile(scope, [breach])
    for alert in stores.alerts.open():
        is_of_inbox = alert.scope.kind == "inbox" and (not only or alert.scope.source_id in only)
        if is_of_inbox and alert.scope not in stuck:
            stores.alerts.reconcile(alert.scope, [])
