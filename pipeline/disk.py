"""The guard of the disk: a build that would not fit says so before it starts, with what it needs and how to free it."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG

from perinatal import settings
from perinatal.errors import PerinatalError
from perinatal.home import Home
from publish import edition
from publish.edition import Editions

# what a build needs where no edition says what the last one took: the pages, packs and tables of a small edition, and
# so many times the landed rows, which are packed tighter than any other form of them
LEAST, TIMES_LANDED = 400 << 20, 40
MARGIN = 1.2


def bytes_of(*folders: Path) -> int:
    """Return what the files below folders take; one that has several names (editions share files) counts once.

    What another process removes meanwhile takes nothing.
    """
    sizes = {}
    for path in (Path(place, name) for folder in folders for place, _, names in os.walk(folder) for name in names):
        with suppress(FileNotFoundError):
            found = path.lstat()
            if S_ISREG(found.st_mode):
                sizes[found.st_dev, found.st_ino] = found.st_size
    return sum(sizes.values())


def existing(folder: Path) -> Path:
    """Return a folder, or the nearest one above it that exists."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def needed(home: Home) -> int:
    """Return how many bytes a build must find free: by what the last one took, else by what is landed."""
    landed = bytes_of(home.landed)
    standing = Editions.of(home).current()
    built: dict[str, int] | None = edition.info(standing).get("bytes") if standing else None
    if built:
        growth = max(1.0, landed / max(1, built["landed"]))
        return round(MARGIN * growth * built["build"])
    return LEAST + TIMES_LANDED * landed


def require_room(home: Home) -> None:
    """Raise PerinatalError where a build would not fit."""
    free, wanted = shutil.disk_usage(existing(home.root)).free, needed(home)
    if free >= wanted or not settings.get().disk_guard:
        return
    kept = [path for path in home.editions.glob("*") if path.is_dir()]
    sizes = {"editions": bytes_of(*kept), "cache": bytes_of(home.cache)}
    raise PerinatalError(
        f"no room for a build: it needs about {_size(wanted)} in {home.root}, {_size(free)} is free. "
        f"Nothing was begun. To free space: keep fewer editions ({len(kept)} take {_size(sizes['editions'])}; "
        f"PERINATAL_KEEP_EDITIONS), empty {home.cache} ({_size(sizes['cache'])}), or move PERINATAL_HOME "
        "to a larger disk. PERINATAL_DISK_GUARD=false builds all the same."
    )


def _size(number: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if number < 1000:
            return f"{number:,.0f} {unit}"
        number /= 1000
    return f"{number:,.1f} GB"
