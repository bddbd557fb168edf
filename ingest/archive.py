"""The archive: every file as published, for ever, under the sha256 of its bytes."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from perinatal.errors import PerinatalError
from perinatal.home import Home, fsync_dir

# a piece that stays in the processor's cache while it is hashed and written, in one buffer for all: fresh memory for
# each piece, or a second core, costs as much again as hashing
CHUNK = 1 << 18


@dataclass(frozen=True)
class Archived:
    """One archived file: where it lies, the sha256 of its bytes, its size in bytes."""

    path: Path
    sha256: str
    bytes: int


def place(home: Home, sha256: str) -> Path:
    """Return where a file with this hash lies."""
    return home.archive / sha256[:2] / sha256


def put(home: Home, file: Path) -> Archived:
    """Copy `file` into the archive, hashing on the way. What is there already is kept, unless it is damaged.

    The copy gets its final name only when it is whole and on disk. A file that grows while being read is refused,
    and so is a link or device that has taken a file's place since somebody looked.
    """
    home.archive.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(dir=home.archive, prefix=".incoming-", delete=False) as out:
        temporary = Path(out.name)
        try:
            with open(file, "rb", buffering=0, opener=_open_plain) as handle:
                before = os.fstat(handle.fileno())
                piece = memoryview(bytearray(CHUNK))
                while length := handle.readinto(piece):
                    digest.update(piece[:length])
                    size += out.write(piece[:length])
                after = os.fstat(handle.fileno())
            if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                raise PerinatalError(f"{file}: changed while it was being read; land it again once it is whole")
            out.flush()
            os.fsync(out.fileno())
            return _settle(home, temporary, digest.hexdigest(), size)
        finally:
            temporary.unlink(missing_ok=True)


def _open_plain(path: str, flags: int) -> int:
    """Open a plain file, never through a link, never waiting for the other end of a pipe."""
    try:
        handle = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise PerinatalError(f"{path}: cannot be read ({error.strerror})") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise PerinatalError(f"{path}: not a plain file")
    return handle


def adopt(home: Home, temporary: Path, sha256: str, size: int) -> Archived:
    """Move a file that was hashed while it was downloaded into the archive (same file system)."""
    try:
        return _settle(home, temporary, sha256, size)
    finally:
        temporary.unlink(missing_ok=True)


def _settle(home: Home, temporary: Path, sha256: str, size: int) -> Archived:
    path = place(home, sha256)
    if not path.exists() or hash_of(path) != sha256:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.chmod(0o444)
        temporary.replace(path)
        fsync_dir(path.parent)
    return Archived(path, sha256, size)


def hash_of(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def damaged(home: Home) -> Iterator[str]:
    """Re-hash every archived file; yield one line for each whose bytes are not those of its name."""
    for path in sorted(home.archive.glob("??/*")):
        if hash_of(path) != path.name:
            yield f"{path}: its bytes no longer have the sha256 of its name"
