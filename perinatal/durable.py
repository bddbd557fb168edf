"""Writing that survives a kill or a power cut, and locks that a killed process never leaves behind."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

OWNER_ONLY_FOLDER, OWNER_ONLY_FILE = 0o700, 0o600


def fsync_dir(folder: Path) -> None:
    """Make renames inside `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def made_with(mode: int) -> Callable[[str, int], int]:
    """Return an `opener` that makes files with these rights at most, from the moment they are made."""
    return lambda path, flags: os.open(path, flags, mode)


def close_to_others(folder: Path) -> None:
    """Let only the owner read a folder and all that is in it; nothing where it is not there."""
    for path in (folder, *folder.rglob("*")) if folder.exists() else ():
        if not path.is_symlink():
            path.chmod(OWNER_ONLY_FOLDER if path.is_dir() else OWNER_ONLY_FILE)


def write_atomically(path: Path, content: str | bytes, mode: int = 0o666) -> None:
    """Write text (as UTF-8) or bytes so that a reader, or a kill, sees the old file or the new one, never a part.

    `mode` says who may read it at most, from the moment it is made; the process's umask takes from it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    with open(temporary, "wb", opener=made_with(mode)) as out:
        out.write(content.encode("utf-8") if isinstance(content, str) else content)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(path)
    fsync_dir(path.parent)


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold an advisory lock on `path`; yields False at once if it is taken and `wait` is false.

    The kernel drops the lock when the process dies, so a killed run never leaves it behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True
