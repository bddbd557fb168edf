"""Append-only logs of JSON lines: one record a line, on disk when `append` returns; only upgrades rewrite one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from perinatal.durable import write_atomically


def append_lines(path: Path, lines: Iterable[str]) -> None:
    """Add whole lines to a log and make them last; a half line that a kill has left is closed off first."""
    text = "".join(f"{line}\n" for line in lines)
    if not text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as out:
        if out.tell():
            out.seek(-1, os.SEEK_END)
            if out.read(1) != b"\n":
                out.write(b"\n")
        out.write(text.encode())
        out.flush()
        os.fsync(out.fileno())


def append_records(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Add records to a log of JSON lines; see `append_lines`."""
    append_lines(path, map(_line, records))


def write_records(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Put records in the place of a log's own, all at once."""
    write_atomically(path, "".join(f"{_line(record)}\n" for record in records))


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False)


def read_records(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a log of JSON lines, oldest first."""
    if path.exists():
        with path.open("rb") as handle:
            for line in handle:
                try:
                    yield json.loads(line)
                except ValueError:  # a line (or letter) that a kill has cut off: its event never happened
                    continue
