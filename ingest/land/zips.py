"""Zips (workbooks are zips too), opened only where that is safe."""

from __future__ import annotations

import re
import shutil
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.land.sniff import HEAD, ZIP_TROUBLE
from perinatal.dropped_files import Unusable, checked_name
from perinatal.printable import printable

EXPANSION_FLOOR: Final = 16 << 20  # bytes; archives below it may expand by any factor
JUNK: Final = re.compile(r"(^|.*/)(__MACOSX/.*|\.[^/]*|Thumbs\.db|desktop\.ini)$")


@dataclass(frozen=True)
class Limits:
    """Bounds. Sizes in bytes, times in seconds; `ratio` is expanded over packed size."""

    expanded: int = 4 << 30
    ratio: int = 200
    members: int = 2000
    sheet_memory: int = 2 << 30
    sheet_seconds: int = 300


DEFAULT_LIMITS: Final = Limits()


def check_archive(path: Path, limits: Limits = DEFAULT_LIMITS) -> list[str]:
    """Return the names of a zip's files (workbooks are zips too) if it is safe to open; else Unusable.

    Refused: names that lead out, links, encryption, too many members, and more expanded bytes than the limits
    allow. The sizes that a zip declares are held to when its members are read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except ZIP_TROUBLE as error:
        raise damaged(path, error) from None
    for member in members:
        checked_name(member.filename)
        if stat.S_ISLNK(member.external_attr >> 16):
            raise Unusable("link", f"{path.name}: holds a link ({printable(member.filename)})")
        if member.flag_bits & 1:
            raise Unusable("encrypted", f"{path.name}: is encrypted; ask for it without a password")
    names = [member.filename for member in members if not member.is_dir()]
    if len(set(names)) < len(names):
        raise Unusable("damaged", f"{path.name}: holds two files of the same name")
    if len(members) > limits.members:
        raise Unusable("zip_bomb", f"{path.name}: holds {len(members):,} files, more than {limits.members:,}")
    expanded, packed = sum(member.file_size for member in members), path.stat().st_size
    if expanded > limits.expanded or expanded > max(limits.ratio * packed, EXPANSION_FLOOR):
        what = f"expands from {packed:,} to {expanded:,} bytes, more than the limits allow"
        raise Unusable("zip_bomb", f"{path.name}: {what}")
    return names


def members(path: Path, limits: Limits = DEFAULT_LIMITS) -> list[str]:
    """Return the names of a safe zip's files without the litter that machines leave in it; else Unusable."""
    return [name for name in check_archive(path, limits) if not JUNK.fullmatch(name)]


def damaged(path: Path, error: Exception) -> Unusable:
    """Return the error for a file that cannot be opened."""
    detail = " ".join(str(error).split())[:120] or type(error).__name__
    return Unusable("damaged", f"{path.name}: is damaged and cannot be opened ({detail}); fetch it again")


def holds(path: Path, member: str, pattern: re.Pattern[bytes]) -> bool:
    """Tell whether a member of a zip, where there is one, matches anywhere; read in pieces."""
    try:
        with zipfile.ZipFile(path) as archive:
            if member not in archive.namelist():
                return False
            with archive.open(member) as stream:
                tail = b""
                while piece := stream.read(HEAD):
                    if pattern.search(tail + piece):
                        return True
                    tail = piece[-64:]
    except ZIP_TROUBLE as error:
        raise damaged(path, error) from None
    return False


def extract(path: Path, name: str, target: Path) -> None:
    """Copy one member out; zipfile gives no more than the declared size and checks the sum."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(name) as stream, target.open("wb") as copy:
            shutil.copyfileobj(stream, copy)
    except ZIP_TROUBLE as error:
        raise damaged(path, error) from None


def chosen(path: Path, what: str, names: list[str], pattern: str | None) -> str:
    """Return the one name that the pattern fits (None fits all); else Unusable, with what there is."""
    fitting = [name for name in names if pattern is None or re.fullmatch(pattern, name, re.IGNORECASE)]
    if len(fitting) == 1:
        return fitting[0]
    there = ", ".join(printable(name) for name in names[:12]) or "none"
    asked = f"{len(fitting)} fit {pattern!r}" if pattern else f"it is not said which of {len(names)}"
    raise Unusable(f"which_{what}", f"{path.name}: one {what} is needed, {asked}; there are: {there}")
