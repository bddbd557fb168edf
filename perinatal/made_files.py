"""Files of an edition: made, or taken over from the edition before where they would come out the same.

Each file has a key: a hash of everything that it shows, and of the code that writes it. Where the edition before has a
file of the same name and key, that one is linked (copied where the file system has no links) and nothing is written. A
file that names an edition names the first one in which it reads as it does, so that it need not change with each
edition; a build that makes everything anew asks the same question, and so writes the same bytes.

A linked file is one file in several editions: whoever changed it in place would change it in all of them. Nothing in
this program does, what is made is read-only, and a file whose size has changed is not taken over.
"""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from perinatal.shipped import digest_of

LIST = "made_files.csv"  # stands in the folder of which it lists the files


@dataclass(frozen=True)
class Since:
    """The first edition in which a file reads as it does, and when that was published (ISO, UTC)."""

    edition_id: str
    published_at: str


UNNAMED = Since("", "")  # in keys, where what a file shows must not depend on the edition


@dataclass(frozen=True)
class MadeFile:
    """A line of the list: a file by its path in the folder, its key, its size, and since when it reads as it does."""

    file: str
    key: str
    bytes: int
    edition_id: str
    published_at: str

    @property
    def since(self) -> Since:
        """Return the first edition in which it reads as it does."""
        return Since(self.edition_id, self.published_at)


@dataclass(frozen=True)
class Standing:
    """What may be taken over: the same folder of the edition before, if there is one; `code` is part of every key.

    `anew` makes every file all the same.
    """

    folder: Path | None = None
    code: str = ""
    anew: bool = False


NOTHING = Standing()


class MadeFiles:
    """The files of one folder of a new edition, `now`; they are made, or taken over from what is standing."""

    def __init__(self, folder: Path, now: Since, standing: Standing = NOTHING) -> None:
        self.folder = folder
        self.now = now
        self.standing = standing
        self._before = read(standing.folder) if standing.folder else {}
        self.files: dict[str, MadeFile] = {}
        self.taken_over = 0

    def key(self, *shown: str) -> str:
        """Return the key of a file that shows these texts."""
        return digest_of(text.encode() for text in (self.standing.code, *shown))

    def since(self, name: str, key: str) -> Since:
        """Return since which edition a file of this key reads as it does: this one, if the one before differs."""
        known = self._before.get(name)
        return known.since if known and known.key == key else self.now

    def take(self, name: str, key: str) -> bool:
        """Take a file over; false where it must be made."""
        known = self._before.get(name)
        if self.standing.anew or self.standing.folder is None or known is None or known.key != key:
            return False
        source = self.standing.folder / name
        if not source.exists() or source.stat().st_size != known.bytes:
            return False
        link(source, self.place(name))
        self.files[name] = known
        self.taken_over += 1
        return True

    def add(self, name: str, key: str) -> None:
        """Record a file that was made."""
        since = self.since(name, key)
        size = (self.folder / name).stat().st_size
        self.files[name] = MadeFile(name, key, size, since.edition_id, since.published_at)

    def write(self, name: str, key: str, make: Callable[[Path, Since], None]) -> None:
        """Take a file over, or have it made at the path that `make` is given."""
        if not self.take(name, key):
            make(self.place(name), self.since(name, key))
            self.add(name, key)

    def forget(self, name: str) -> None:
        """Let no later edition take a file over: its key does not say all that it shows."""
        self.files[name] = replace(self.files[name], key="")

    def text(self, name: str, tell: Callable[[Since], str]) -> None:
        """Write a text that is no work to make, and may name the edition since which it reads so."""
        self.write(name, self.key(tell(UNNAMED)), lambda path, since: _written(path, tell(since)))

    def repeat(self, name: str, original: str) -> None:
        """Let a file be one with another file of the folder."""
        key = self.files[original].key
        link(self.folder / original, self.place(name))
        self.add(name, key)

    def place(self, name: str) -> Path:
        """Return the path of a file, in a folder that is there."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def close(self) -> None:
        """Write the list, and let nobody write to what is listed."""
        with (self.folder / LIST).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, [field.name for field in fields(MadeFile)], lineterminator="\n")
            writer.writeheader()
            writer.writerows(asdict(self.files[name]) for name in sorted(self.files))
        for name in self.files:
            (self.folder / name).chmod(0o444)


def read(folder: Path) -> dict[str, MadeFile]:
    """Return the list of a folder by file; empty where there is none, as in an edition of an older program."""
    path = folder / LIST
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        found = [MadeFile(**row | {"bytes": int(row["bytes"])}) for row in csv.DictReader(file)]  # type: ignore[arg-type]
    return {one.file: one for one in found}


def link(source: Path, target: Path) -> None:
    """Make `target` the same file as `source`, or a copy where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _written(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
