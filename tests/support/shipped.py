"""What is shipped, computed and not built: the files that the image and the wheel hold."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

REPO = Path(__file__).resolve().parents[2]
# in .dockerignore: `**/` any folders or none, `**` anything, `*` and `?` within one name
WILDCARDS = {"**/": "(?:.+/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
WILDCARD = re.compile(r"\*\*/|\*\*|\*|\?")


def tracked() -> list[str]:
    """Return the files that git knows: what a fresh clone, and so a build of the image, has."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name and (REPO / name).exists()]


def let_in(names: Iterable[str], ignore: str) -> list[str]:
    """Return the files that a .dockerignore lets into the image: the last line that matches a file or a folder wins."""
    lines = [line.strip() for line in ignore.splitlines() if line.strip() and not line.startswith("#")]
    rules = [(line.startswith("!"), _pattern(line.removeprefix("!").strip("/"))) for line in lines]
    return [name for name in names if _is_let_in(name, rules)]


def _is_let_in(name: str, rules: list[tuple[bool, re.Pattern[str]]]) -> bool:
    return next((lets_in for lets_in, pattern in reversed(rules) if pattern.fullmatch(name)), True)


def _pattern(line: str) -> re.Pattern[str]:
    """Return what matches the named file, or anything in the named folder."""
    texts, wildcards = WILDCARD.split(line), WILDCARD.findall(line)
    ends = [*(WILDCARDS[found] for found in wildcards), ""]
    return re.compile("".join(re.escape(text) + end for text, end in zip(texts, ends, strict=True)) + "(?:/.*)?")


def image() -> list[str]:
    """Return the files that the image holds in /opt/perinatal."""
    return let_in(tracked(), (REPO / ".dockerignore").read_text(encoding="utf-8"))


def wheel() -> list[str]:
    """Return the files that the wheel holds, as its builder counts them."""
    return [file.relative_path for file in WheelBuilder(str(REPO)).recurse_included_files()]


def copy(names: Iterable[str], folder: Path) -> None:
    """Copy files of the project into a folder, under the same names."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPO / name, folder / name)
