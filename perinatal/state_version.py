"""Which version the state folder has: `state.json`. A program refuses a state that is newer than it knows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from perinatal.durable import write_atomically
from perinatal.errors import PerinatalError
from perinatal.version import __version__

VERSION = 2
FILE = "state.json"


def read(root: Path) -> int:
    """Return the version of a state folder; 0 where none is written. Raises PerinatalError if it cannot be read."""
    path = root / FILE
    if not path.exists():
        return 0
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["version"])
    except (ValueError, KeyError, TypeError) as error:
        raise PerinatalError(f"{path} cannot be read ({error}): restore it from a backup") from None


def require_known(root: Path) -> None:
    """Raise PerinatalError where a newer program has changed the state folder."""
    found = read(root)
    if found > VERSION:
        raise PerinatalError(
            f"{root} has state of version {found}, this program knows {VERSION}: use the newer version of the program, "
            "or restore a backup of before the update into another folder"
        )


def write(root: Path, number: int = VERSION) -> None:
    """Write the version, with the program and the time that it is from."""
    record = {
        "version": number,
        "program": __version__,
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_atomically(root / FILE, json.dumps(record, indent=1) + "\n")
