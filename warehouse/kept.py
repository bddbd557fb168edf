"""Observations that builds keep for later ones: typed and harmonised rows of a release, as Parquet.

They follow from the rows of the release, its layout, the seeds and the code alone, and lie in a folder named by the
hash of these. So a build makes the observations of new releases only (`staging.int_made_observation`), and reads
those of others; ranks, sums, series and marts are made of all. A source whose models look at more than one release
says nothing in its `_sources.yml`, and all its releases are then made again with the first that changes;
`release_alone` says that each of its releases stands alone. Restricted releases are never kept: they stay where only
their owner reads.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

import duckdb
import yaml

from perinatal.opening import open_database
from perinatal.settings import PROJECT_ROOT
from perinatal.shipped import digest_of, files_below
from perinatal.sql import literal, literals
from warehouse.landed import LandedRelease, Layout

# code and seeds that decide on observations
SHIPPED = (
    "dbt_project/dbt_project.yml",
    "dbt_project/macros",
    "dbt_project/models",
    "dbt_project/seeds",
    "expectations/no_values.py",
    "warehouse",
)
LIBRARIES = ("dbt-core", "dbt-duckdb", "duckdb")
MADE = "staging.int_made_observation"
UNFINISHED = ".keeping-"
LISTED = "files.txt"  # names the Parquet files of a folder: one that was emptied is no release without observations


def folders(
    root: Path, releases: Sequence[LandedRelease], layouts: Sequence[Layout], project: Path = PROJECT_ROOT
) -> dict[str, Path]:
    """Return the folder of each release's observations below `root`, by release key, whether it is there or not.

    `layouts` are those of the releases; `project` is where the code and the seeds lie.
    """
    rules, alone = rules_of(project), _sources_alone(project)
    columns = {(layout.source_id, layout.name): repr(layout.columns).encode() for layout in layouts}
    known = [
        (item, _identity(item, columns[item.source_id, item.layout])) for item in releases if item.audience == "public"
    ]
    found: dict[str, Path] = {}
    for item, own in known:
        beside = sorted(other for one, other in known if one.source_id == item.source_id)
        counted = [own] if item.source_id in alone else beside
        found[item.release_key] = root / digest_of(piece.encode() for piece in (rules, item.release_key, *counted))
    return found


def present(
    places: Mapping[str, Path], releases: Sequence[LandedRelease], project: Path = PROJECT_ROOT
) -> dict[str, list[Path]]:
    """Return the Parquet files of each release whose observations are kept, and remove folders that are damaged.

    Of a source whose models look at more than one release, all releases are kept or none is: to make some of them the
    models need the rows of all.
    """
    found = {key: files for key, folder in places.items() if (files := _files(folder)) is not None}
    lacking = {item.source_id for item in releases if item.release_key in places and item.release_key not in found}
    torn = {item.release_key for item in releases if item.source_id in lacking - _sources_alone(project)}
    for key, folder in places.items():
        if folder.is_dir() and (key in torn or key not in found):
            shutil.rmtree(folder)
    return {key: files for key, files in found.items() if key not in torn}


def keep(work_db: Path, wanted: Mapping[str, Path]) -> None:
    """Keep the observations that a build has made of these releases, each in its folder, given its name when whole."""
    if not wanted:
        return
    root = next(iter(wanted.values())).parent
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=root, prefix=UNFINISHED) as made, open_database(work_db) as connection:
        names = ", ".join(f"({literal(key)}, {literal(folder.name)})" for key, folder in wanted.items())
        connection.execute(
            f"copy (select made.*, wanted.folder as kept_in from {MADE} as made "
            f"inner join (values {names}) as wanted (release_key, folder) using (release_key)) "
            f"to {literal(made)} (format parquet, compression zstd, partition_by (kept_in), overwrite_or_ignore true)"
        )
        for folder in wanted.values():
            rows = Path(made) / f"kept_in={folder.name}"
            rows.mkdir(exist_ok=True)  # a release without an observation
            names = "".join(f"{path.name}\n" for path in sorted(rows.glob("*.parquet")))
            (rows / LISTED).write_text(names, encoding="utf-8")
            rows.replace(folder)


def prune(root: Path, releases: Sequence[LandedRelease], layouts: Sequence[Layout]) -> int:
    """Remove what is kept for other rows, seeds or code than those of today; returns how many releases that were."""
    named = {folder.name for folder in folders(root, releases, layouts).values()}
    old = [folder for folder in root.glob("*") if folder.name not in named]
    for folder in old:
        shutil.rmtree(folder)
    return len(old)


def view_of(files: Iterable[Path]) -> str:
    """Return the statement that makes `landed.kept_observation`, over these Parquet files."""
    paths = literals(files)
    if not paths:
        return "create table landed.kept_observation (release_key varchar)"
    rows = f"read_parquet([{paths}], hive_partitioning = false)"
    return f"create view landed.kept_observation as select * from {rows}"


@cache
def rules_of(root: Path) -> str:
    """Return a hash of the code, the seeds and the libraries that make observations of rows."""
    pieces = [f"{name} {version(name)}".encode() for name in LIBRARIES]
    for path in files_below(root, SHIPPED):
        pieces += [path.relative_to(root).as_posix().encode(), path.read_bytes()]
    return digest_of(pieces)


@cache
def _sources_alone(root: Path) -> frozenset[str]:
    """Return the sources of which each release is made from its own rows, as their `_sources.yml` say."""
    found = set()
    for path in (root / "dbt_project" / "models" / "staging").glob("*/_sources.yml"):
        [source] = yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
        if source.get("config", {}).get("meta", {}).get("release_alone"):
            found.add(path.parent.name)
    return frozenset(found)


def _identity(item: LandedRelease, columns: bytes) -> str:
    """Return as a hash what a release's observations follow from: name, rows, columns, corrections, and its rank."""
    with item.rows.open("rb") as handle:
        rows = hashlib.file_digest(handle, "sha256").digest()
    # models that look at several releases let the newer publication decide
    rank = repr((item.published_on, item.fetched_at, item.status, item.scope)).encode()
    corrections = (repr(one).encode() for one in item.corrections)
    return digest_of([item.release_key.encode(), rows, columns, rank, *corrections])


def _files(folder: Path) -> list[Path] | None:
    """Return the Parquet files of a folder, or None where it is absent, or lacks a file, or holds a damaged one."""
    files = sorted(folder.glob("*.parquet"))
    try:
        listed = (folder / LISTED).read_text(encoding="utf-8").splitlines()
        with duckdb.connect() as connection:
            connection.execute(f"select file_name from parquet_file_metadata([{literals(files)}])") if files else None
    except (FileNotFoundError, duckdb.Error):
        return None
    return files if listed == [path.name for path in files] else None
