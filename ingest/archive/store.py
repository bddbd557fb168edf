"""The archive: every file as published, for ever, under the sha256 of its bytes."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from perinatal.durable import fsync_dir
from perinatal.errors import PerinatalError
from perinatal.scratch import hold

# a piece that stays in the processor's cache while it is hashed and written, in one buffer for all: fresh memory for
# each piece, or hashing it in another thread than writing it, costs as much again as hashing
CHUNK = 1 << 18


@dataclass(frozen=True)
class Archived:
    """One archived file: where it lies, the sha256 of its bytes, its size in bytes."""

    path: Path
    sha256: str
    bytes: int


class Incoming:
    """A copy of a file in the making, hashed on the way, in a thread of its own: what is there can be read meanwhile.

    `path` is where it is being made, `expected` how many bytes it is to have. The copy gets its final name only when it
    is whole and on disk. A file that grows while being read is refused, and so is a link or device that has taken a
    file's place since somebody looked.
    """

    def __init__(self, archive: Archive, file: Path, source: io.FileIO, out: IO[bytes]) -> None:
        self.path = Path(out.name)
        self._archive, self._file, self._source, self._out = archive, file, source, out
        self._before = os.fstat(source.fileno())
        self.expected = self._before.st_size
        self._bytes, self._is_over, self._is_wanted = 0, False, True
        self._grown = threading.Condition()

    def wait_for(self, end: int) -> None:
        """Wait until the copy has `end` bytes, or as many as it will ever have."""
        with self._grown:
            self._grown.wait_for(lambda: self._bytes >= end or self._is_over)

    def keep(self) -> Archived:
        """Wait for the copy to be whole and on disk, and name it. What is there already stays, unless damaged."""
        return self._archive.keep(self.path, self._copied.result(), self._bytes)

    def start(self, helper: Executor) -> None:
        """Begin to copy."""
        self._copied = helper.submit(self._copy)

    def stop(self) -> None:
        """Copy no further."""
        self._is_wanted = False

    def _copy(self) -> str:
        digest, piece = hashlib.sha256(), memoryview(bytearray(CHUNK))
        try:
            while self._is_wanted and (length := self._source.readinto(piece)):
                self._out.write(piece[:length])
                self._out.flush()
                self._grow(length)
                digest.update(piece[:length])
        finally:
            self._grow(0, is_over=True)
        after = os.fstat(self._source.fileno())
        before = (self.expected, self.expected, self._before.st_mtime_ns)
        if (self._bytes, after.st_size, after.st_mtime_ns) != before:
            raise PerinatalError(f"{self._file}: changed while it was being read; land it again once it is whole")
        os.fsync(self._out.fileno())
        return digest.hexdigest()

    def _grow(self, length: int, *, is_over: bool = False) -> None:
        with self._grown:
            self._bytes += length
            self._is_over = is_over
            self._grown.notify_all()


def _open_plain(path: str, flags: int) -> int:
    """Open a plain file, never through a link, never waiting for the other end of a pipe."""
    try:
        handle = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    except PermissionError as error:
        remedy = "allow it with `chmod a+r`, or copy the file again"
        raise PerinatalError(f"{path}: may not be read by this user ({error.strerror}); {remedy}") from None
    except OSError as error:
        raise PerinatalError(f"{path}: cannot be read ({error.strerror})") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise PerinatalError(f"{path}: not a plain file")
    return handle


class Archive:
    """Every file as published, by the sha256 of its bytes, for ever."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path_of(self, sha256: str) -> Path:
        """Return where a file with this hash lies."""
        return self.root / sha256[:2] / sha256

    def files(self) -> Iterator[Path]:
        """Yield every archived file, by its hash."""
        yield from sorted(self.root.glob("??/*"))

    @contextmanager
    def incoming(self, file: Path) -> Iterator[Incoming]:
        """Begin to copy a file into the archive. A copy that is not kept in the end leaves nothing."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (
            open(file, "rb", buffering=0, opener=_open_plain) as source,
            tempfile.NamedTemporaryFile(dir=self.root, prefix=".incoming-", delete=False) as out,
            ThreadPoolExecutor(1, "archive") as helper,
        ):
            hold(out.fileno())
            copy = Incoming(self, file, source, out)
            try:
                copy.start(helper)
                yield copy
            finally:
                copy.stop()
                copy.path.unlink(missing_ok=True)

    def put(self, file: Path) -> Archived:
        """Copy a file into the archive: see `Incoming` for what is refused."""
        with self.incoming(file) as copy:
            return copy.keep()

    def adopt(self, temporary: Path, sha256: str, size: int) -> Archived:
        """Move a file that was hashed while it was downloaded into the archive (same file system)."""
        try:
            return self.keep(temporary, sha256, size)
        finally:
            temporary.unlink(missing_ok=True)

    def keep(self, temporary: Path, sha256: str, size: int) -> Archived:
        """Give a whole file its final name, unless the same bytes are there already."""
        path = self.path_of(sha256)
        if not path.exists() or hash_of(path) != sha256:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.chmod(0o444)
            temporary.replace(path)
            fsync_dir(path.parent)
        return Archived(path, sha256, size)

    def damaged(self) -> Iterator[str]:
        """Hash every archived file again; yield one line for each whose bytes are not those of its name."""
        for path in self.files():
            if hash_of(path) != path.name:
                yield f"{path}: its bytes no longer have the sha256 of its name"


def hash_of(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
