"""The archive: every file as published, for ever, under the sha256 of its bytes."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
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


class Incoming:
    """A copy of a file in the making, hashed on the way, in a thread of its own: what is there can be read meanwhile.

    `path` is where it is being made, `expected` how many bytes it is to have. The copy gets its final name only when it
    is whole and on disk. A file that grows while being read is refused, and so is a link or device that has taken a
    file's place since somebody looked.
    """

    def __init__(self, home: Home, file: Path) -> None:
        home.archive.mkdir(parents=True, exist_ok=True)
        self._home, self._file = home, file
        self._source = open(file, "rb", buffering=0, opener=_open_plain)  # noqa: SIM115 - see close
        self._before = os.fstat(self._source.fileno())
        self._out, name = tempfile.mkstemp(dir=home.archive, prefix=".incoming-")
        self.path, self.expected = Path(name), self._before.st_size
        self._bytes, self._is_over, self._is_wanted = 0, False, True
        self._grown = threading.Condition()
        self._helper = ThreadPoolExecutor(1, "archive")
        self._copied = self._helper.submit(self._copy)

    def wait_for(self, end: int) -> int:
        """Wait until the copy has `end` bytes, or as many as it will ever have; returns how many it has."""
        with self._grown:
            self._grown.wait_for(lambda: self._bytes >= end or self._is_over)
            return self._bytes

    def settle(self) -> Archived:
        """Wait for the copy to be whole and on disk, and name it. What is there already is kept, unless damaged."""
        sha256 = self._copied.result()
        return _settle(self._home, self.path, sha256, self._bytes)

    def close(self) -> None:
        """End the copying, and remove what has not been settled."""
        self._is_wanted = False
        self._helper.shutdown()
        self._source.close()
        os.close(self._out)
        self.path.unlink(missing_ok=True)

    def _copy(self) -> str:
        digest, piece = hashlib.sha256(), memoryview(bytearray(CHUNK))
        try:
            while self._is_wanted and (length := self._source.readinto(piece)):
                left = piece[:length]
                while left:
                    left = left[os.write(self._out, left) :]
                self._grow(length)
                digest.update(piece[:length])
        finally:
            self._grow(0, is_over=True)
        after = os.fstat(self._source.fileno())
        if (self._before.st_size, self._before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise PerinatalError(f"{self._file}: changed while it was being read; land it again once it is whole")
        os.fsync(self._out)
        return digest.hexdigest()

    def _grow(self, length: int, *, is_over: bool = False) -> None:
        with self._grown:
            self._bytes += length
            self._is_over = is_over
            self._grown.notify_all()


def put(home: Home, file: Path) -> Archived:
    """Copy a file into the archive."""
    with closing(Incoming(home, file)) as copy:
        return copy.settle()


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
