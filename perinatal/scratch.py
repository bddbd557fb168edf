"""Folders and files for work under way: gone when it ends, and recognised where a kill has left them behind.

Whoever works holds a lock on what it works in, which the kernel drops with the process.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

UNTOUCHED = 60.0  # seconds: covers the moments between making, locking and moving


@contextmanager
def scratch_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Make a folder in `parent` for the time of the block; it may be renamed to become something that stays."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    handle = os.open(folder, os.O_RDONLY)
    try:
        hold(handle)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def hold(handle: int) -> None:
    """Mark an open file or folder as in use, until it is closed."""
    fcntl.flock(handle, fcntl.LOCK_EX)


def remove_abandoned(parent: Path, *prefixes: str) -> None:
    """Remove what killed processes have left in `parent` under these prefixes."""
    for path in (path for prefix in prefixes for path in parent.glob(f"{prefix}*")):
        with suppress(FileNotFoundError):  # its owner has finished meanwhile
            if time.time() - path.lstat().st_mtime > UNTOUCHED and not _is_held(path):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _is_held(path: Path) -> bool:
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
