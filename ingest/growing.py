"""The copy of a file that is still being made, for DuckDB to read: each read waits until its bytes are there."""

from __future__ import annotations

import os
from typing import Any

from fsspec import AbstractFileSystem

from ingest.archive import Incoming

ADDRESS = "incoming://copy"


class FileSystem(AbstractFileSystem):  # type: ignore[misc]
    """One file, at `ADDRESS`: the copy, of the size that it is going to have."""

    protocol = "incoming"
    cachable = False

    def __init__(self, copy: Incoming) -> None:
        super().__init__()
        self._copy = copy

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Return what is known of the file."""
        return {"name": path, "size": self._copy.expected, "type": "file"}

    def glob(self, path: str, **_: Any) -> list[str]:
        """Return the one file that there is."""
        return [path]

    def open(self, path: str, mode: str = "rb", **_: Any) -> Handle:  # noqa: ARG002 - fsspec's signature
        """Open the copy for reading."""
        return Handle(self._copy)


class Handle:
    """Reads the copy, and waits for what is not there yet."""

    def __init__(self, copy: Incoming) -> None:
        self._copy, self._at = copy, 0
        self._file = copy.path.open("rb", buffering=0)
        self._buffer = bytearray()

    def read(self, size: int) -> memoryview:
        """Return the next bytes, all that are asked for unless the copy ends; good until the next call.

        DuckDB asks for megabytes, and copies them; fresh memory for each of its calls would stay with the process.
        """
        if size > len(self._buffer):
            self._buffer = bytearray(size)
        self._copy.wait_for(self._at + size)
        found = memoryview(self._buffer)[:size]
        length = os.preadv(self._file.fileno(), [found], self._at)
        self._at += length
        return found[:length]

    def seek(self, offset: int) -> None:
        """Go on from there."""
        self._at = offset

    def close(self) -> None:
        """Read no more."""
        self._file.close()
