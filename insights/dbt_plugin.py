"""Masking of personal names as functions of the database that dbt works in, so that no raw name reaches a candidate.

`find_names(text)` lists the names in a text; `mask_names(text, names)` masks them and those in `names`.
"""

from __future__ import annotations

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

from insights.privacy import find_names, mask_names


class Plugin(BasePlugin):
    """What dbt-duckdb loads by the profile's `plugins`."""

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Register both functions; text that is NULL stays so."""
        conn.create_function("find_names", find_names, ["VARCHAR"], "VARCHAR[]")
        conn.create_function("mask_names", mask_names, ["VARCHAR", "VARCHAR[]"], "VARCHAR")
