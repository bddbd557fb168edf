"""The archive: every file as published, for ever, under the sha256 of its bytes."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from perinatal.durable import fsync_dir
from perinatal.errors import PerinatalError
from perinatal.scratch import hold

# a piece that stays in the processor's cache while it is hashed and written, in one buffer for all: fresh memory for
# each piece, or hashing it in another thread than writing it, costs as much again as hashing
CHUNK = 1 << 18
# modes: a file is its owner's alone until somebody has looked at what it is (ingest/land/originals.py)
FOR_OWNER, FOR_ALL = 0o400, 0o444


@dataclass(frozen=True)
class Archived:
    """One archived file: where it lies, the sha256 of its bytes, its size in bytes."""

    path: Path
    sha256: str
    bytes: int


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


def _copied(file: Path, source: io.FileIO, out: IO[bytes]) -> tuple[str, int]:
    """Copy a file to the end and to disk; returns the sha256 and the number of its bytes."""
    before = os.fstat(source.fileno())
    digest, size, piece = hashlib.sha256(), 0, memoryview(bytearray(CHUNK))
    while length := source.readinto(piece):
        out.write(piece[:length])
        digest.update(piece[:length])
        size += length
    after = os.fstat(source.fileno())
    if (size, after.st_size, after.st_mtime_ns) != (before.st_size, before.st_size, before.st_mtime_ns):
        raise PerinatalError(f"{file}: changed while it was being read; land it again once it is whole")
    out.flush()
    os.fsync(out.fileno())
    return digest.hexdigest(), size


class Archive:
    """Every file as published, by the sha256 of its bytes, for ever."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path_of(self, sha256: str) -> Path:
        """Return where a file with this hash lies."""
        return self.root / sha256[:2] / sha256

    def find(self, sha256: str) -> Archived | None:
        """Return the file with this hash, if it is there; its bytes are not looked at."""
        path = self.path_of(sha256)
        return Archived(path, sha256, path.stat().st_size) if path.exists() else None

    def files(self) -> Iterator[Path]:
        """Yield every archived file, by its hash."""
        yield from sorted(self.root.glob("??/*"))

    def put(self, file: Path) -> Archived:
        """Copy a file into the archive, hashed on the way. The copy gets its name only when it is whole and on disk.

        A file that grows while being read is refused, and so is a link or device that has taken a file's place since
        somebody looked. A copy that fails leaves nothing.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with (
            open(file, "rb", buffering=0, opener=_open_plain) as source,
            tempfile.NamedTemporaryFile(dir=self.root, prefix=".incoming-", delete=False) as out,
        ):
            hold(out.fileno())
            try:
                return self.keep(Path(out.name), *_copied(file, source, out))
            finally:
                Path(out.name).unlink(missing_ok=True)

    def adopt(self, temporary: Path, sha256: str, size: int) -> Archived:
        """Move a file that was hashed while it was downloaded into the archive (same file system)."""
        try:
            return self.keep(temporary, sha256, size)
        finally:
            temporary.unlink(missing_ok=True)

    def keep(self, temporary: Path, sha256: str, size: int) -> Archived:
        """Give a whole file its final name, unless the same bytes are there already. Only its owner may read it."""
        path = self.path_of(sha256)
        if not path.exists() or hash_of(path) != sha256:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.chmod(FOR_OWNER)
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
