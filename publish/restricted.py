"""Restricted sources (board returns) in a DuckDB file of their own, beside the public edition and never in it.

`editions/<id>/restricted/<source>.duckdb` holds the public shapes (core.fct_observation, core.fct_finding,
marts.trust_indicator, core.dim_release) with this source's rows alone, and the board dashboard of its trusts, public
rows beside theirs. Folder and file are readable for the owner only. Nothing serves them: no portal,
pack or download.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from perinatal.durable import OWNER_ONLY_FILE, OWNER_ONLY_FOLDER
from perinatal.opening import open_database
from perinatal.sql import attach

# table of the restricted file → table of the run's working file or candidate, always filtered by source
TABLES = {
    "core.fct_observation": "work.restricted.restricted_observation",
    "core.fct_finding": "work.restricted.restricted_finding",
    "marts.trust_indicator": "work.restricted.restricted_trust_indicator",
    "core.dim_release": "public_edition.core.dim_release",
}
INDICATORS = """
create table restricted_file.core.dim_indicator as
select * from public_edition.core.dim_indicator
where indicator_id in (select indicator_id from restricted_file.core.fct_observation)
order by indicator_id
"""
DASHBOARD = """
create table restricted_file.marts.board_dashboard as
select * from work.restricted.restricted_board_dashboard
where trust_code in (select trust_code from restricted_file.marts.trust_indicator)
and (source_id is null or source_id = $source or not list_contains($restricted, source_id))
order by trust_code, place, measure_id, indicator_id, source_id
"""


def write(folder: Path, work: Path, candidate: Path) -> Path | None:
    """Write a file for each restricted source that has rows into `folder`; None, and no folder, where there is none."""
    with duckdb.connect() as connection:
        for path, name in ((work, "work"), (candidate, "public_edition")):
            attach(connection, path, name)
        sources = connection.execute(
            "select distinct source_id from work.landed.release where audience = 'restricted' order by source_id"
        ).fetchall()
        if not sources:
            return None
        folder.mkdir(mode=OWNER_ONLY_FOLDER)
        for (source_id,) in sources:
            _write_source(connection, folder / f"{source_id}.duckdb", source_id, [other for (other,) in sources])
    return folder


def _write_source(connection: duckdb.DuckDBPyConnection, path: Path, source_id: str, restricted: list[str]) -> None:
    attach(connection, path, "restricted_file", "storage_version 'v1.2.0'")
    path.chmod(OWNER_ONLY_FILE)
    for schema in ("core", "marts"):
        connection.execute(f"create schema restricted_file.{schema}")
    for target, origin in TABLES.items():
        connection.execute(
            f"create table restricted_file.{target} as select * from {origin} where source_id = $source",
            {"source": source_id},
        )
    connection.execute(DASHBOARD, {"source": source_id, "restricted": restricted})
    connection.execute(INDICATORS)
    connection.execute("detach restricted_file")


def dashboard(folder: Path, trust_code: str) -> list[dict[str, Any]]:
    """Return the board dashboard of a trust from the restricted files: public rows and its own, each once.

    A trust without a restricted row has no dashboard there: an empty list.
    """
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for file in sorted(folder.glob("*.duckdb")):
        with open_database(file, read_only=True) as connection:
            cursor = connection.execute(
                "select * from marts.board_dashboard where trust_code = $code order by place, measure_id, indicator_id",
                {"code": trust_code},
            )
            names = [column[0] for column in cursor.description or []]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        found |= {(row["place"], row["measure_id"], row["indicator_id"], row["source_id"]): row for row in rows}
    return [found[key] for key in sorted(found, key=lambda key: (key[0], *map(str, key[1:])))]
