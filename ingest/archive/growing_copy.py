"""The copy of a file that is still being made, for DuckDB to read: each read waits until its bytes are there."""

from __future__ import annotations

import os
import threading
from typing import Any

from fsspec import AbstractFileSystem

from ingest.archive.store import Incoming

ADDRESS = "incoming://copy"


class FileSystem(AbstractFileSystem):  # type: ignore[misc]
    """One file, at `ADDRESS`: the copy, of the size that it is going to have.

    `interrupted` is what ended a read and is no fault (a person who gives up): DuckDB makes an error of its own of it.
    """

    protocol = "incoming"
    cachable = False

    def __init__(self, copy: Incoming) -> None:
        super().__init__()
        self.copy = copy
        self.interrupted: BaseException | None = None

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Return what is known of the file."""
        return {"name": path, "size": self.copy.expected, "type": "file"}

    def glob(self, path: str, **_: Any) -> list[str]:
        """Return the one file that there is."""
        return [path]

    def open(self, path: str, mode: str = "rb", **_: Any) -> Handle:  # noqa: ARG002 - fsspec's signature
        """Open the copy for reading."""
        return Handle(self)


class Handle:
    """Reads the copy, and waits for what is not there yet.

    DuckDB may read from several threads, each read two calls: where, and how much. So each thread has a place and a
    buffer of its own. The buffer is kept: DuckDB asks for megabytes and copies them, and fresh memory for each of its
    calls would stay with the process.
    """

    def __init__(self, system: FileSystem) -> None:
        self._system = system
        self._file = system.copy.path.open("rb", buffering=0)
        self._places = {threading.get_ident(): 0}
        self._buffers: dict[int, bytearray] = {}

    def read(self, size: int) -> memoryview:
        """Return the next bytes, all that are asked for unless the copy ends; good until the thread's next call."""
        thread = threading.get_ident()
        place, buffer = self._places[thread], self._buffers.get(thread, b"")
        if size > len(buffer):
            buffer = self._buffers[thread] = bytearray(size)
        try:
            self._system.copy.wait_for(place + size)
            length = os.preadv(self._file.fileno(), [memoryview(buffer)[:size]], place)
        except BaseException as error:
            if not isinstance(error, Exception):
                self._system.interrupted = error
            raise
        self._places[thread] = place + length
        return memoryview(buffer)[:length]

    def seek(self, place: int) -> None:
        """Go on from there, in this thread."""
        self._places[threading.get_ident()] = place

    def close(self) -> None:
        """Read no more."""
        self._file.close()
