"""Opening a DuckDB file to work on: with the share of the machine's memory that the settings give to a build."""

from __future__ import annotations

from pathlib import Path

import duckdb

from perinatal import settings
from perinatal.sql import literal


def open_database(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open the file of a candidate or an edition; beyond its share of memory (`memory_limit`) DuckDB spills to disk."""
    connection = duckdb.connect(str(path), read_only=read_only)
    # afterwards: who opens a file that this process has open already must not ask for another configuration
    connection.execute(f"set memory_limit = {literal(settings.get().memory_limit)}")
    return connection
