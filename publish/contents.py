"""What an edition says, as a hash for each table: two editions of the same hashes say the same.

Left out is what differs between two builds of the same releases: what is compared with the edition before (`is_new`,
`marts.edition_change`), what is counted from the day of the build, and `quality`, which tells of alerts and checks.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from perinatal.opening import open_database
from perinatal.sql import identifier, literals

SCHEMAS = ("reference", "core", "marts")
LEFT_OUT_TABLES = ("edition_change",)
LEFT_OUT_COLUMNS = ("is_new", "age_years", "is_stale", "position")

COLUMNS = f"""
select schema_name, table_name, list(column_name order by column_index)
from duckdb_columns()
where
    schema_name in ({literals(SCHEMAS)}) and not internal
    and table_name not in ({literals(LEFT_OUT_TABLES)}) and column_name not in ({literals(LEFT_OUT_COLUMNS)})
group by all
order by all
"""


def content_hashes(database: Path) -> dict[str, str]:
    """Return the sha256 of each table's rows, whatever their order, by `schema.table`."""
    with open_database(database, read_only=True) as connection:
        return {
            f"{schema}.{table}": _hash(connection, f"{identifier(schema)}.{identifier(table)}", columns)
            for schema, table, columns in connection.execute(COLUMNS).fetchall()
        }


def _hash(connection: duckdb.DuckDBPyConnection, table: str, columns: list[str]) -> str:
    """Hash each row's JSON, then the sorted hashes: a row that is there twice counts twice."""
    chosen = ", ".join(map(identifier, columns))
    rows = f"select sha256(to_json(one)::varchar) as line from (select {chosen} from {table}) as one"
    found = connection.execute(f"select sha256(coalesce(string_agg(line, '' order by line), '')) from ({rows})")
    return str(found.fetchall()[0][0])
