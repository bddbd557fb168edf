"""From landed releases to a candidate: the `landed` schema for dbt, one `dbt build`, the quality tables."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from perinatal import settings
from perinatal.console import say_detail
from perinatal.opening import open_database
from perinatal.sql import identifier, literal, literals
from warehouse import dbt, inequality_limits, kept
from warehouse.landed import LandedRelease, Layout, layout_rows

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
    "lag_days": "integer",
    "grace_days": "integer",
}


# what a staging model gives, by the end of its name; every other name means observations
MODEL_KINDS = {"__indicator": "indicator_models", "__finding": "finding_models", "__annotation": "annotation_models"}


def staging_models() -> dict[str, list[str]]:
    """Return the staging models of all sources by what they give: indicators, findings, answers, or observations."""
    models: dict[str, list[str]] = {"observation_models": [], **{kind: [] for kind in MODEL_KINDS.values()}}
    for name in sorted(path.stem for path in (dbt.PROJECT / "models" / "staging").glob("*/stg_*.sql")):
        kinds = [kind for ending, kind in MODEL_KINDS.items() if name.endswith(ending)]
        models[kinds[0] if kinds else "observation_models"].append(name)
    return models


def make_landed(
    work_db: Path,
    layouts: Sequence[Layout],
    releases: Sequence[LandedRelease],
    known: Mapping[str, Sequence[Path]] | None = None,
) -> None:
    """Write the `landed` schema of the working file: `release`, `build`, and a view over the Parquet of each layout.

    `known` are the files of observations that are kept of releases, by release key: these are not made again.
    """
    known = known or {}
    with open_database(work_db) as connection:
        connection.execute("create schema landed")
        columns = ", ".join(f"{name} {kind}" for name, kind in RELEASE_COLUMNS.items())
        connection.execute(f"create table landed.release ({columns})")
        # the one clock of a build: models know none
        connection.execute("create table landed.build as select ?::date as built_on", [datetime.now(UTC).date()])
        for item in releases:
            row = [getattr(item, name) for name in RELEASE_COLUMNS]
            connection.execute(f"insert into landed.release values ({', '.join('?' for _ in row)})", row)
        connection.execute(
            "create table landed.correction (release_key varchar, source_row bigint, correction_id varchar, "
            "is_applied boolean, corrected_column varchar, reason varchar)"
        )
        for item in releases:
            _record_corrections(connection, item)
        _record_warnings(connection, releases)
        connection.execute(kept.view_of(path for paths in known.values() for path in paths))
        for layout in layouts:
            mine = [item for item in releases if (item.source_id, item.layout) == (layout.source_id, layout.name)]
            connection.execute(_layout_view(layout, mine, known))


def _layout_view(layout: Layout, releases: Sequence[LandedRelease], known: Collection[str]) -> str:
    """Return a view over all releases in one layout; `is_kept` says that observations of them are kept.

    One scan reads all files but corrected ones, and one those of which observations are kept: of hundreds of scans
    DuckDB plans, and holds memory for, each.
    """
    parts: list[str] = []
    plain: dict[bool, dict[str, str]] = {}
    for item in releases:
        is_kept = item.release_key in known
        if item.corrections:
            rows = item.corrected(f"read_parquet({literal(item.rows)})")
            parts.append(f"select {_said_of(literal(item.release_key), is_kept)}, * from ({rows})")
        else:
            plain.setdefault(is_kept, {})[str(item.rows)] = item.release_key
    for is_kept, keys in plain.items():
        paths = literals(keys)
        key = f"map([{paths}], [{literals(keys.values())}])[{FILE}]"
        rows = f"read_parquet([{paths}], union_by_name = true, filename = '{FILE}')"
        parts.append(f"select {_said_of(key, is_kept)}, * exclude ({FILE}) from {rows}")
    name = identifier(f"{layout.source_id}__{layout.name}")
    return f"create view landed.{name} as {layout_rows(layout, parts)}"


def _said_of(release_key: str, is_kept: bool) -> str:
    return f"{release_key} as release_key, {literal(is_kept)} as is_kept"


def _record_warnings(connection: duckdb.DuckDBPyConnection, releases: Sequence[LandedRelease]) -> None:
    """Note which rows did not meet a standard on arrival: a warning reaches these, not the whole release."""
    connection.execute("create table landed.row_warning (release_key varchar, source_row bigint, rule varchar)")
    for item in releases:
        for warned in item.warned_rows:
            connection.execute(
                "insert into landed.row_warning select ?, unnest(range(?, ?)), ?",
                [item.release_key, warned.first, warned.last + 1, warned.rule],
            )


def _record_corrections(connection: duckdb.DuckDBPyConnection, item: LandedRelease) -> None:
    """Note for each correction which rows it changed; a row 0 that is not applied says that it is no longer needed."""
    rows = connection.from_parquet(str(item.rows))
    for correction in item.corrections:
        applied = rows.filter(f"{correction.predicate()} and {correction.guard()}").project("source_row").fetchall()
        for number, is_applied in [(row, True) for (row,) in applied] or [(0, False)]:
            connection.execute(
                "insert into landed.correction values (?, ?, ?, ?, ?, ?)",
                [item.release_key, number, correction.id, is_applied, correction.column, correction.reason],
            )


def build(
    folder: Path,
    dbt_target: Path,
    layouts: Sequence[Layout],
    releases: Sequence[LandedRelease],
    engine: settings.Engine | None = None,
    keeping: Path | None = None,
) -> Path:
    """Build the candidate in `folder`; returns its DuckDB file. `dbt_target` keeps dbt's parse cache between runs.

    The models run on `engine`, or on the one that the settings name. DuckDB takes observations that are kept in the
    folder `keeping`, and keeps there what it makes; Spark makes all, and so does DuckDB where no folder is named.
    """
    options = settings.get()
    engine = engine or options.engine
    if engine == "spark":
        from warehouse.spark import session

        session.require()
    scratch = folder / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    warehouse = dbt.Warehouse(
        work_db=folder / "work.duckdb",
        candidate_db=folder / "perinatal.duckdb",
        scratch=scratch,
        memory_limit=options.memory_limit,
        threads=options.threads or os.cpu_count() or 2,
    )
    if engine == "spark":
        from warehouse.spark import engine as spark

        make_landed(warehouse.work_db, layouts, releases)
        target = dbt_target.with_name(f"{dbt_target.name}-spark")
        spark.build(warehouse, target, folder / "dbt.log", staging_models(), layouts, releases)
    else:
        places = kept.folders(keeping, releases, layouts) if keeping else {}
        known = kept.present(places, releases)
        say_detail(f"observations of {len(releases) - len(known)} release(s) are made, of {len(known)} kept ones read")
        make_landed(warehouse.work_db, layouts, releases, known)
        dbt.build(warehouse, dbt_target, staging_models(), folder / "dbt.log")
        kept.keep(warehouse.work_db, {key: place for key, place in places.items() if key not in known})
    inequality_limits.write(warehouse.work_db, warehouse.candidate_db)
    return warehouse.candidate_db
