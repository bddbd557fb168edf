"""Editions: a gated candidate becomes the published edition by one atomic rename; readers never see a mixture."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from expectations.checks import Result
from perinatal.durable import fsync_dir
from perinatal.home import Home
from perinatal.sql import identifier

DATABASE = "perinatal.duckdb"
INFO = "edition.json"
UNPUBLISHED = ".unpublished"  # stands in an edition's folder until it has been swapped in
SYNC_THREADS = 16

# how text starts that a spreadsheet would run, or whose start its import strips down to such
FORMULA = r"^(\s*[=+@-]|[\t\r\n])"

CHECK_RESULT = """
create or replace table quality.check_result (
    suite varchar, rule varchar, expectation varchar, severity varchar, dimension varchar, success boolean,
    observed double, minimum double, maximum double, message varchar, remedy varchar, owner varchar,
    affected_marts varchar[], sample_rows json, release_key varchar
)
"""


def current(home: Home) -> Path | None:
    """Return the folder of the published edition, or None before the first."""
    while home.current.is_symlink():
        folder = home.current.resolve()
        if (folder / INFO).exists():
            return folder
        if home.current.resolve() == folder:  # else it was pruned while we looked: another one is current
            return None
    return None


def unpublished(home: Home) -> list[Path]:
    """Return the editions that a kill has kept from being swapped in."""
    published = current(home)
    return [path.parent for path in home.editions.glob(f"*/{UNPUBLISHED}") if path.parent != published]


def info(edition: Path) -> dict[str, Any]:
    """Return what an edition says of itself."""
    found: dict[str, Any] = json.loads((edition / INFO).read_text(encoding="utf-8"))
    return found


def write_checks(candidate: Path, results: Iterable[Result]) -> None:
    """Write every verdict, of both gates, into `quality.check_result` of the candidate.

    A standard that several releases breach has a row for each, with its own count: rows of marts find the warnings of
    the release gate by their `release_key`.
    """
    rows = [row for result in results for row in _check_rows(result)]
    with duckdb.connect(str(candidate)) as connection:
        connection.execute(CHECK_RESULT)
        _insert(connection, "quality.check_result", rows)


def _check_rows(result: Result) -> list[dict[str, Any]]:
    told = {name: value for name, value in vars(result).items() if name not in ("affected_lms", "releases")}
    told["sample_rows"] = json.dumps(result.sample_rows, ensure_ascii=False)
    return [
        {**told, "release_key": release_key, "observed": observed}
        for release_key, observed in result.releases.items() or [(result.release_key, result.observed)]
    ]


def write_alerts(candidate: Path, alerts: list[dict[str, Any]]) -> None:
    """Write the alert log as it stands into `quality.alert` of the candidate."""
    rows = []
    for alert in alerts:
        row = {**alert, "sample_rows": json.dumps(alert["sample_rows"], ensure_ascii=False)}
        for name in ("opened_at", "last_seen_at", "closed_at"):
            row[name] = row[name].removesuffix("+00:00") if row[name] else None
        rows.append(row)
    with duckdb.connect(str(candidate)) as connection:
        connection.execute(
            """
            create or replace table quality.alert (
                alert_id varchar, scope varchar, state varchar, opened_at timestamp, last_seen_at timestamp,
                closed_at timestamp, times_seen integer, rule varchar, severity varchar, message varchar, count bigint,
                sample_rows json, remedy varchar, affected_marts varchar[], affected_lms varchar[], release_key varchar
            )
            """
        )
        _insert(connection, "quality.alert", rows)


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    """Add rows to a table by the names of their columns, all at once: one by one, thousands take seconds."""
    if rows:
        connection.register("added", pa.Table.from_pylist(rows))
        connection.execute(f"insert into {table} by name select * from added")
        connection.unregister("added")


def write_downloads(candidate: Path, folder: Path) -> None:
    """Write each mart as Parquet and CSV; text that a spreadsheet would run as a formula is neutralised in the CSV."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(candidate), read_only=True) as connection:
        marts = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'marts' order by table_name"
        ).fetchall()
        for (mart,) in marts:
            relation = connection.table(f"marts.{mart}")
            relation.write_parquet(str(folder / f"{mart}.parquet"), compression="zstd")
            relation.project(formula_safe(relation)).write_csv(str(folder / f"{mart}.csv"))
    if (folder / "edition_change.csv").exists():
        shutil.copyfile(folder / "edition_change.csv", folder / "changes.csv")


def formula_safe(relation: duckdb.DuckDBPyRelation) -> str:
    """Return a select list in which no text starts like a spreadsheet formula, and lists are joined by "; "."""
    columns = []
    for name, kind in zip(relation.columns, relation.types, strict=True):
        quoted, text = identifier(name), str(kind)
        shown = f"array_to_string({quoted}, '; ')" if text.endswith("[]") else quoted
        if text == "VARCHAR" or text.endswith("[]"):
            columns.append(f"if(regexp_matches({shown}, '{FORMULA}'), '''' || {shown}, {shown}) as {quoted}")
        else:
            columns.append(quoted)
    return ", ".join(columns)


def identity(mark: str) -> dict[str, str]:
    """Return the name and the moment of an edition that is made now."""
    now = datetime.now(UTC)
    return {"edition_id": f"{now:%Y%m%dT%H%M%S}-{mark[:8]}", "published_at": now.isoformat(timespec="seconds")}


def history(home: Home) -> list[dict[str, Any]]:
    """Return what the editions that are kept say of themselves, newest first."""
    return [info(path.parent) for path in sorted(home.editions.glob(f"*/{INFO}"), reverse=True)]


def publish(home: Home, run: Path, contents: dict[str, Path], facts: dict[str, Any]) -> Path:
    """Complete the edition folder, make it durable, and swap it in.

    `contents` maps names in the edition to files or folders of the run; they are moved, not copied. A kill before
    the swap leaves the last edition current; the folder that never was current is removed by the next build.
    """
    record = identity(facts["fingerprint"]) | facts
    made = run / str(record["edition_id"])
    made.mkdir()
    for name, path in contents.items():
        path.rename(made / name)
    (made / INFO).write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return settle(home, made)


def settle(home: Home, made: Path) -> Path:
    """Make a complete edition folder durable and swap it in under its own name."""
    (made / UNPUBLISHED).touch()
    _sync_tree(made)
    final = home.editions / made.name
    home.editions.mkdir(parents=True, exist_ok=True)
    made.rename(final)
    fsync_dir(home.editions)
    point_current(home, final)
    (final / UNPUBLISHED).unlink()
    return final


def point_current(home: Home, edition: Path) -> None:
    """Make `current` name an edition: a new link under another name, then one rename over the old one."""
    link = home.root / f".current-{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("editions") / edition.name)
    link.replace(home.current)
    fsync_dir(home.root)


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


def prune(home: Home, keep: int) -> list[str]:
    """Remove all but the newest `keep` editions; the published one always stays. Returns the ids removed."""
    published = current(home)
    editions = sorted((path for path in home.editions.glob("*") if path.is_dir()), key=lambda path: path.name)
    removed = []
    for path in editions[:-keep] if keep else editions:
        if path != published:
            shutil.rmtree(path)
            removed.append(path.name)
    return removed
