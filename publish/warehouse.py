"""From landed releases to a candidate: the `landed` schema for dbt, one `dbt build`, the quality tables."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb

from ingest import corrections
from ingest import manifest as manifests
from ingest.registry import Source, all_sources
from perinatal import dbt, settings
from perinatal.home import Home

# lineage columns of a landed table that name columns
LISTS = ("cast_errors", "cell_marks")
FILE = "landed_file"  # a name that no publisher's column has

RELEASE_COLUMNS = {
    "release_key": "varchar",
    "source_id": "varchar",
    "dataset": "varchar",
    "release": "varchar",
    "revision": "integer",
    "status": "varchar",
    "sha256": "varchar",
    "original_name": "varchar",
    "url": "varchar",
    "published_on": "date",
    "fetched_at": "timestamp",
    "publisher": "varchar",
    "licence": "varchar",
    "audience": "varchar",
    "is_synthetic": "boolean",
    "rows_in": "bigint",
    "rows_landed": "bigint",
    "rows_quarantined": "bigint",
    "has_arrival_warning": "boolean",
    "scope": "varchar",
    "cadence_days": "integer",
}


# what a staging model gives, by the end of its name; every other name means observations
MODEL_KINDS = {"__indicator": "indicator_models", "__finding": "finding_models"}


def staging_models() -> dict[str, list[str]]:
    """Return the staging models of all sources by what they give: indicators, findings, or observations."""
    models: dict[str, list[str]] = {"observation_models": [], **{kind: [] for kind in MODEL_KINDS.values()}}
    for name in sorted(path.stem for path in (dbt.PROJECT / "models" / "staging").glob("*/stg_*.sql")):
        kinds = [kind for ending, kind in MODEL_KINDS.items() if name.endswith(ending)]
        models[kinds[0] if kinds else "observation_models"].append(name)
    return models


def make_landed(home: Home, work_db: Path, releases: list[manifests.Manifest]) -> None:
    """Write the `landed` schema of the working file: `release`, and a view over the Parquet of each dataset."""
    with duckdb.connect(str(work_db)) as connection:
        connection.execute("create schema landed")
        columns = ", ".join(f"{name} {kind}" for name, kind in RELEASE_COLUMNS.items())
        connection.execute(f"create table landed.release ({columns})")
        for item in releases:
            row = _release_row(item)
            marks = ", ".join("?" for _ in row)
            connection.execute(f"insert into landed.release values ({marks})", list(row.values()))
        connection.execute(
            "create table landed.correction (release_key varchar, source_row bigint, correction_id varchar, "
            "is_applied boolean, corrected_column varchar, reason varchar)"
        )
        for source in all_sources().values():
            for item in releases:
                if item.source_id == source.id:
                    _record_corrections(connection, home, source, item)
            for dataset in source.datasets:
                mine = [item for item in releases if (item.source_id, item.layout) == (source.id, dataset)]
                connection.execute(_dataset_view(home, source, dataset, mine))


def _release_row(item: manifests.Manifest) -> dict[str, Any]:
    source = all_sources()[item.source_id]
    row = asdict(item) | {
        "release_key": item.release_key,
        "fetched_at": item.fetched_at.removesuffix("+00:00"),
        "has_arrival_warning": any(not check["success"] and check["severity"] == "warn" for check in item.checks),
        "scope": source.datasets[item.layout].get("scope", "release"),
        "cadence_days": source.cadence(item.layout),
    }
    return {name: row[name] for name in RELEASE_COLUMNS}


def _dataset_view(home: Home, source: Source, dataset: str, releases: list[manifests.Manifest]) -> str:
    """Return a view over all revisions of one dataset: the contract's columns, typed even where nothing is landed.

    One scan reads all files but corrected ones: of hundreds of scans DuckDB plans, and holds memory for, each.
    """
    columns = {"release_key": "varchar", "source_row": "bigint", **dict.fromkeys(LISTS, "varchar[]")}
    columns |= {column.name: column.sql_type for column in source.columns[dataset]}
    empty = ", ".join(f'null::{kind} as "{name}"' for name, kind in columns.items())
    parts = [f"select {empty} where false"]
    plain: dict[str, str] = {}
    for item in releases:
        path = str(item.folder(home) / manifests.ROWS)
        if own := _corrections(source, item):
            rows = corrections.overlay(f"read_parquet({corrections.literal(path)})", own)
            parts.append(f"select {corrections.literal(item.release_key)} as release_key, * from ({rows})")
        else:
            plain[path] = item.release_key
    if plain:
        paths = _list(plain)
        rows = f"read_parquet({paths}, union_by_name = true, filename = '{FILE}')"
        key_of_file = f"map({paths}, {_list(plain.values())})[{FILE}]"
        parts.append(f"select {key_of_file} as release_key, * exclude ({FILE}) from {rows}")
    body = "\nunion all by name\n".join(parts)
    return f'create view landed."{source.id}__{dataset}" as {body}'


def _list(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(corrections.literal, texts))}]"


def _corrections(source: Source, item: manifests.Manifest) -> list[corrections.Correction]:
    return [c for c in corrections.load(source.folder) if (c.dataset, c.release) == (item.dataset, item.release)]


def _record_corrections(
    connection: duckdb.DuckDBPyConnection, home: Home, source: Source, item: manifests.Manifest
) -> None:
    """Note for each correction which rows it changed; a row 0 that is not applied says that it is no longer needed."""
    rows = connection.from_parquet(str(item.folder(home) / manifests.ROWS))
    for correction in _corrections(source, item):
        applied = rows.filter(f"{correction.predicate()} and {correction.guard()}").project("source_row").fetchall()
        for number, is_applied in [(row, True) for (row,) in applied] or [(0, False)]:
            connection.execute(
                "insert into landed.correction values (?, ?, ?, ?, ?, ?)",
                [item.release_key, number, correction.id, is_applied, correction.column, correction.reason],
            )


def build(home: Home, folder: Path, releases: list[manifests.Manifest]) -> Path:
    """Build the candidate in `folder`; returns its DuckDB file."""
    options = settings.get()
    scratch = folder / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    warehouse = dbt.Warehouse(
        work_db=folder / "work.duckdb",
        candidate_db=folder / "perinatal.duckdb",
        scratch=scratch,
        memory_limit=options.memory_limit,
        threads=options.threads or os.cpu_count() or 2,
    )
    make_landed(home, warehouse.work_db, releases)
    dbt.build(
        warehouse,
        target=home.cache / "dbt",
        variables=staging_models(),
        log=folder / "dbt.log",
    )
    return warehouse.candidate_db
