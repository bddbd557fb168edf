"""Quarantine: refused files with the reasons, kept until a person decides. Nothing that arrives is lost.

Folders and files are for their owner alone from the moment they are made: what is refused may be anything.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from perinatal.durable import OWNER_ONLY_FILE, OWNER_ONLY_FOLDER, made_with, write_atomically
from perinatal.errors import PerinatalError
from perinatal.records import read_json

REPORT = "report.json"
NAME_LIMIT = 200  # bytes


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Report:
    """Why a file was refused. `reasons` has one entry a rule: rule, message, rows (some row numbers), count.

    `url`, `etag`, `published_on` and `container` are what its manifest would say, for the day that it is released.
    """

    source_id: str
    sha256: str
    original_name: str
    dataset: str | None
    release: str | None
    arrived_at: str
    is_synthetic: bool
    reasons: list[dict[str, Any]]
    url: str | None = None
    etag: str | None = None
    published_on: str | None = None
    container: str | None = None


def _kept_name(original: str) -> str:
    """Return the name under which a refused file is kept: its own, where that is a plain name and not the report's."""
    name = Path(original).name.encode()[-NAME_LIMIT:].decode(errors="ignore")
    return "refused-file" if name in ("", "..", REPORT) else name


class Quarantine:
    """`<source>/<sha256>/`: each refused file with its report."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, archived: Path, report: Report) -> Path:
        """Keep a copy of the refused file, for people to mend, with its report; returns the folder."""
        folder = self.root / report.source_id / report.sha256
        self.root.parent.mkdir(parents=True, exist_ok=True)
        for made in (self.root, folder.parent, folder):
            made.mkdir(OWNER_ONLY_FOLDER, exist_ok=True)
        kept = folder / _kept_name(report.original_name)
        if not kept.exists():
            copy = folder / f".copy-{os.getpid()}"
            try:
                with archived.open("rb") as source, open(copy, "wb", opener=made_with(OWNER_ONLY_FILE)) as out:
                    shutil.copyfileobj(source, out)
                copy.replace(kept)
            finally:
                copy.unlink(missing_ok=True)
        text = json.dumps(asdict(report), ensure_ascii=False, indent=1) + "\n"
        write_atomically(folder / REPORT, text, OWNER_ONLY_FILE)
        return folder

    def reports(self) -> Iterator[tuple[Path, Report]]:
        """Yield (folder, report) of everything in quarantine, by path."""
        for path in sorted(self.root.glob(f"*/*/{REPORT}")):
            try:
                yield path.parent, read_json(path, Report)
            except PerinatalError as error:
                raise PerinatalError(f"{error}: not a quarantine report; remove {path.parent}") from None

    def find(self, prefix: str, source_id: str | None = None) -> tuple[Path, Report]:
        """Return the one quarantined file (of a source) whose sha256 starts with `prefix`."""
        found = [
            item
            for item in self.reports()
            if item[1].sha256.startswith(prefix) and source_id in (None, item[1].source_id)
        ]
        if len(found) != 1:
            raise PerinatalError(
                f"{len(found)} quarantined files have a sha256 that starts with {prefix!r}; "
                "`perinatal quarantine list` shows them, --source tells two of the same bytes apart"
            )
        return found[0]

    def remove(self, source_id: str, sha256: str) -> None:
        """Take a file out of quarantine; its bytes stay in the archive."""
        shutil.rmtree(self.root / source_id / sha256, ignore_errors=True)
