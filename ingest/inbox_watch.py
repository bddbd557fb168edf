"""Watching the inbox: which files have stopped growing. Looks only; never opens, moves or removes anything."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

# what browsers, editors and copying programs call a file that is not finished
UNFINISHED_SUFFIXES = (".part", ".partial", ".crdownload", ".download", ".tmp", ".filepart", "~")


class Mark(NamedTuple):
    """What tells that a file has changed."""

    bytes: int
    modified_ns: int


@dataclass(frozen=True)
class _Known:
    """One file as last seen; `since` and `told_at` are seconds of the caller's clock."""

    mark: Mark
    since: float
    told_at: float | None = None


@dataclass
class Watch:
    """Tells each file once, when it has kept its size and date for `quiet` seconds.

    A file that still lies there after `remind` seconds is told again: whoever should have taken it may have missed
    the first telling. A changed file counts as a new one.
    """

    quiet: float
    remind: float
    _known: dict[str, _Known] = field(default_factory=dict)

    def ready(self, seen: Mapping[str, Mark], now: float) -> Iterator[str]:
        """Yield the files of one look that are to be told now."""
        self._known = {
            path: known if (known := self._known.get(path)) and known.mark == mark else _Known(mark, now)
            for path, mark in seen.items()
        }
        for path, known in sorted(self._known.items()):
            due = known.since + self.quiet if known.told_at is None else known.told_at + self.remind
            if now >= due:
                self._known[path] = replace(known, told_at=now)
                yield path


def look(inbox: Path) -> dict[str, Mark]:
    """Return every file in the inbox and its source folders, as `<source>/<name>`.

    An inbox or folder that is not there is an empty one: files and folders may go at any moment. Raises OSError where
    one may not be read.
    """
    found = {}
    for path in _files(inbox):
        with suppress(FileNotFoundError):
            status = path.lstat()
            if stat.S_ISREG(status.st_mode):
                found[path.relative_to(inbox).as_posix()] = Mark(status.st_size, status.st_mtime_ns)
    return found


def _files(inbox: Path) -> Iterator[Path]:
    for path in _entries(inbox):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _entries(path)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if _is_finished(path.name))
    except FileNotFoundError:
        return []


def _is_finished(name: str) -> bool:
    return not name.startswith(".") and not name.lower().endswith(UNFINISHED_SUFFIXES)
