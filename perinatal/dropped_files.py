"""Files that people drop: whether one is whole, whether it may come in, and a safe name for it."""

from __future__ import annotations

import re
import stat
import time
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from perinatal.errors import PerinatalError
from perinatal.printable import printable

NAME_LIMIT: Final = 240  # bytes of a file name
UNFINISHED: Final = (".part", ".partial", ".crdownload", ".download", ".tmp", ".filepart")


class Unusable(PerinatalError):
    """A file that may not or cannot be read. `reason` is a stable code, the text one line for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Signature(NamedTuple):
    """What tells that a file has changed: its content, or who may read it."""

    bytes: int
    modified_ns: int
    inode: int
    status_changed_ns: int


def stable_files(paths: Iterable[Path], quiet_seconds: float) -> list[Path]:
    """Return the files whose size and time did not change while we waited; half-written ones are left alone.

    Names that programs give to unfinished downloads, and hidden names, never count as stable. Links, devices
    and the like are returned: refusing them with a reason is `check_incoming`'s work.
    """
    before = {path: signature(path) for path in paths if not is_unfinished(path.name)}
    if before:
        time.sleep(quiet_seconds)
    return [path for path, before_it in before.items() if before_it and signature(path) == before_it]


def is_unfinished(name: str) -> bool:
    """Tell whether a name is hidden, or one that programs give to downloads under way.

    One that begins with two dots is a slip of a person, no program's: it counts as any other.
    """
    return is_hidden(name) or name.startswith("~$") or name.lower().endswith(UNFINISHED)


def is_hidden(name: str) -> bool:
    """Tell whether programs hide a file of this name on purpose: `.name`, and not `..name`."""
    return name.startswith(".") and not name.startswith("..")


def signature(path: Path) -> Signature | None:
    """Return what tells that a file has changed; None if it is gone. Raises other errors of the file system."""
    with suppress(FileNotFoundError):
        status = path.lstat()
        return Signature(status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns)
    return None


def checked_name(name: str) -> str:
    """Return a name, as dropped or inside an archive, that is safe as a relative path; else Unusable."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    what = None
    if not parts or name.startswith(("/", "\\")) or ".." in parts or re.match(r"[A-Za-z]:", name):
        what = "leads out of its folder"
    elif len(name.encode("utf-8", "surrogateescape")) > NAME_LIMIT:
        what = f"is longer than {NAME_LIMIT} bytes"
    elif any(unicodedata.category(character) in {"Cc", "Cs", "Cf"} for character in name):
        what = "holds invisible characters"
    if what:
        raise Unusable("unsafe_name", f"{printable(name)}: the name {what}; rename the file")
    return name


def usable_name(name: str) -> str:
    """Return a name itself if it is safe, else a form of it that is."""
    try:
        return checked_name(name)
    except Unusable:
        return printable(name).replace("/", "_").replace("\\", "_").lstrip(".") or "file"


def check_incoming(path: Path, root: Path) -> None:
    """Refuse what is not a plain file below `root`: links, devices, pipes, folders, unsafe names."""
    try:
        checked_name(str(path.relative_to(root)))
    except ValueError:
        raise Unusable("outside", f"{printable(str(path))}: not below {root}; drop the file there") from None
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        raise Unusable("link", f"{printable(path.name)}: a link, not a file; drop the file itself")
    if not stat.S_ISREG(mode):
        raise Unusable("not_a_file", f"{printable(path.name)}: not a plain file (device, pipe or folder)")
    if not path.resolve().is_relative_to(root.resolve()):
        raise Unusable("link", f"{printable(path.name)}: its folder is a link that leads out of {root}")
