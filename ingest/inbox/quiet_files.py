"""Watching the inbox: which files have stopped growing. Looks only; never opens, moves or removes anything."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from perinatal.dropped_files import Signature, is_unfinished, signature


@dataclass(frozen=True)
class _Known:
    """One file as last seen; `since` and `named_at` are seconds of the caller's clock."""

    mark: Signature
    since: float
    named_at: float | None = None


@dataclass
class QuietFiles:
    """Names each file once, when it has kept its size and date for `quiet` seconds.

    A file that still lies there after `remind` seconds is named again: whoever should have taken it may have
    missed it the first time. A changed file counts as a new one.
    """

    quiet: float
    remind: float
    _known: dict[str, _Known] = field(default_factory=dict)

    def ready(self, seen: Mapping[str, Signature], now: float) -> Iterator[str]:
        """Yield the files of one look that are due now."""
        self._known = {
            path: known if (known := self._known.get(path)) and known.mark == mark else _Known(mark, now)
            for path, mark in seen.items()
        }
        for path, known in sorted(self._known.items()):
            due = known.since + self.quiet if known.named_at is None else known.named_at + self.remind
            if now >= due:
                self._known[path] = replace(known, named_at=now)
                yield path


def look(inbox: Path) -> dict[str, Signature]:
    """Return everything in the inbox that is no folder and not called unfinished, by its path below the inbox.

    Files and folders may go at any moment. Raises OSError where a folder may not be read.
    """
    found = {}
    for folder, _, names in os.walk(inbox, onerror=_unless_gone):
        for path in (Path(folder, name) for name in names if not is_unfinished(name)):
            if mark := signature(path):
                found[path.relative_to(inbox).as_posix()] = mark
    return found


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
