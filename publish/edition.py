"""Editions: a gated candidate becomes the published edition by one atomic rename; readers never see a mixture."""

from __future__ import annotations

import json
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from perinatal.dropped_files import NAME_LIMIT
from perinatal.durable import fsync_dir
from perinatal.home import Home
from perinatal.made_files import MadeFiles
from perinatal.opening import open_database
from perinatal.spreadsheet_safe import safe_columns
from publish.partition import Form, write_tables

DATABASE = "perinatal.duckdb"
INFO = "edition.json"
STAMP = "%Y%m%dT%H%M%S"
ID = re.compile(r"[0-9]{8}T[0-9]{6}-[0-9a-z]{8}")
CLOCKS_DIFFER = timedelta(hours=1)  # as far as clocks of several machines may be apart
FOLDERS, FILES = ("downloads", "portal", "quality", "restricted"), (DATABASE, INFO)
UNPUBLISHED = ".unpublished"  # stands in an edition's folder until it has been swapped in
SYNC_THREADS = 16


@dataclass(frozen=True)
class Editions:
    """The published editions: `editions/<edition_id>/` below `root`, and the link `current` to the one that is read."""

    root: Path

    @classmethod
    def of(cls, home: Home) -> Editions:
        """Return the editions of a home."""
        return cls(home.root)

    @property
    def folder(self) -> Path:
        """Return the folder that holds a folder for each edition."""
        return self.root / "editions"

    @property
    def link(self) -> Path:
        """Return the symbolic link to the published edition, replaced by one atomic rename."""
        return self.root / "current"

    def current(self) -> Path | None:
        """Return the folder of the published edition, or None before the first."""
        while self.link.is_symlink():
            found = self.link.resolve()
            if (found / INFO).exists():
                return found
            if self.link.resolve() == found:  # else it was pruned while we looked: another one is current
                return None
        return None

    def unpublished(self) -> list[Path]:
        """Return the editions that a kill has kept from being swapped in."""
        published = self.current()
        return [path.parent for path in self.folder.glob(f"*/{UNPUBLISHED}") if path.parent != published]

    def remove_unpublished(self) -> None:
        """Remove these editions. The current one was swapped in: it loses the mark that a kill may have left on it."""
        if published := self.current():
            (published / UNPUBLISHED).unlink(missing_ok=True)
        for folder in self.unpublished():
            shutil.rmtree(folder)

    def identity(self, fingerprint: str) -> dict[str, str]:
        """Return `edition_id` and `published_at` of an edition that is made now from what the fingerprint stands for.

        Editions are in the order of their ids, also after the clock was set back: an id is a second later than the
        newest one at least.
        """
        now = datetime.now(UTC).replace(microsecond=0)
        newest = max((path.name for path in self.folder.glob("*") if ID.fullmatch(path.name)), default="")
        after = datetime.strptime(newest[:15], STAMP).replace(tzinfo=UTC) + timedelta(seconds=1) if newest else now
        return {"edition_id": f"{max(now, after):{STAMP}}-{fingerprint[:8]}", "published_at": now.isoformat()}

    def history(self) -> list[dict[str, Any]]:
        """Return `edition.json` of the editions that are kept, newest first."""
        return [info(path.parent) for path in sorted(self.folder.glob(f"*/{INFO}"), reverse=True)]

    def publish(self, run: Path, contents: dict[str, Path], facts: dict[str, Any]) -> Path:
        """Complete the edition folder, make it durable, swap it in; returns where it is.

        `contents` maps names in the edition to files or folders of the run; they are moved, not copied. A kill before
        the swap leaves the last edition current; the folder that never was current is removed by the next build.
        What an earlier try has moved already is not moved again.
        """
        record = self.identity(facts["fingerprint"]) | facts
        made = run / str(record["edition_id"])
        made.mkdir(exist_ok=True)
        for name, path in contents.items():
            if not (made / name).exists():
                path.rename(made / name)
        (made / INFO).write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return self.swap_in(made)

    def swap_in(self, made: Path) -> Path:
        """Make a complete edition folder durable and the current one, under its own name; returns where it is."""
        (made / UNPUBLISHED).touch()
        _sync_tree(made)
        final = self.folder / made.name
        self.folder.mkdir(parents=True, exist_ok=True)
        made.rename(final)
        fsync_dir(self.folder)
        self.point_current(final)
        (final / UNPUBLISHED).unlink()
        return final

    def point_current(self, edition: Path) -> None:
        """Make `current` name an edition: a new link under another name, then one rename over the old one."""
        link = self.root / f".current-{os.getpid()}"
        link.unlink(missing_ok=True)
        link.symlink_to(Path(self.folder.name) / edition.name)
        link.replace(self.link)
        fsync_dir(self.root)

    def prune(self, keep: int) -> list[str]:
        """Remove all but the newest `keep` editions; the published one always stays. Returns the ids removed."""
        published = self.current()
        editions = sorted((path for path in self.folder.glob("*") if path.is_dir()), key=lambda path: path.name)
        removed = []
        for path in editions[:-keep] if keep else editions:
            if path != published:
                shutil.rmtree(path)
                removed.append(path.name)
        return removed


def wrong_id(name: str) -> str | None:
    """Return what is wrong with the id of an edition that another machine has made; None where nothing is."""
    try:
        made = datetime.strptime(name[:15], STAMP).replace(tzinfo=UTC) if ID.fullmatch(name) else None
    except ValueError:
        made = None
    if made is None:
        return "is not the id of an edition"
    return "is of a time that is still to come" if made > datetime.now(UTC) + CLOCKS_DIFFER else None


def is_part(name: str) -> bool:
    """Tell whether a name, with `/` between its parts, is that of a file of an edition, and leads nowhere else."""
    first, *below = name.split("/")
    is_plain = "\\" not in name and name.isprintable() and not {"", ".", ".."}.intersection((first, *below))
    return is_plain and len(name.encode()) <= NAME_LIMIT and first in (FOLDERS if below else FILES)


def info(edition: Path) -> dict[str, Any]:
    """Return `edition.json` of an edition."""
    found: dict[str, Any] = json.loads((edition / INFO).read_text(encoding="utf-8"))
    return found


def write_downloads(candidate: Path, made: MadeFiles) -> None:
    """Write each mart as Parquet and CSV; text that a spreadsheet would run as a formula is neutralised in the CSV."""
    with open_database(candidate, read_only=True) as connection:
        marts = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'marts' order by table_name"
        ).fetchall()
        tables: dict[str, dict[str, tuple[Form, str]]] = {}
        for (mart,) in marts:
            safe = safe_columns(connection.table(f"marts.{mart}"))
            tables[f"marts.{mart}"] = {f"{mart}.csv": ("csv", safe), f"{mart}.parquet": ("parquet", "*")}
        write_tables(connection, made, tables)
    if "edition_change.csv" in made.files:
        made.repeat("changes.csv", "edition_change.csv")


def _sync_tree(folder: Path) -> None:
    # many at once: the file system then writes them together, 40 times faster for 1,500 small files than one by one
    with ThreadPoolExecutor(SYNC_THREADS) as pool:
        list(pool.map(_sync, folder.rglob("*")))
    fsync_dir(folder)


def _sync(path: Path) -> None:
    if path.is_dir():
        fsync_dir(path)
        return
    with path.open("rb") as handle:
        os.fsync(handle.fileno())
