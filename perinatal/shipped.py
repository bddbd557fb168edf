"""The files that this program is made of, and hashes of them: what is made from the same inputs comes out the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

# what is made where the project runs, not shipped with it
MADE_HERE = ("__pycache__", "target", "logs", "dbt_packages", ".user.yml")


def files_below(root: Path, names: Iterable[str]) -> Iterator[Path]:
    """Yield every shipped file of these folders below `root`, or these files, in the order of its name."""
    for name in sorted(names):
        place = root / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and not any(part in MADE_HERE for part in path.relative_to(root).parts):
                yield path


def digest_of(pieces: Iterable[bytes]) -> str:
    """Hash pieces with their lengths, so that no two lists of pieces look alike; sha256 in hexadecimal."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(len(piece).to_bytes(8, "big") + piece)
    return digest.hexdigest()
