"""Whose pack it is: an LMS by code or name, and which rows of a table are its own."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from perinatal.errors import PerinatalError
from perinatal.sql import literal
from publish.packs.tables import PackTable


@dataclass(frozen=True)
class Lms:
    """Whose pack it is."""

    code: str
    name: str
    region_code: str
    region_name: str
    icb_name: str

    def rows_of(self, table: PackTable) -> str:
        """Return the query of the LMS's rows of a table."""
        condition = f"{table.key} = {literal(self.key_in(table))}" if table.key else "true"
        return _rows(table, f"{table.condition} and {condition}")

    def key_in(self, table: PackTable) -> str:
        """Return the code that marks the LMS's rows of a table: its own, or its region's."""
        return self.region_code if table.region else self.code


def all_rows_of(table: PackTable) -> str:
    """Return the query of a table's rows for the packs of all LMSs."""
    return _rows(table, table.condition)


def _rows(table: PackTable, condition: str) -> str:
    return f"select * from {table.source} where {condition} order by all"


def codes(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the codes of all LMSs."""
    rows = connection.execute("select lms_code from core.dim_lms order by lms_code").fetchall()
    return [code for (code,) in rows]


def find(connection: duckdb.DuckDBPyConnection, wanted: str) -> Lms:
    """Return an LMS by code or whole name. Raises PerinatalError, with all codes, for one that is not there."""
    rows = connection.execute(
        "select lms_code, lms_name, region_code, region_name, icb_name from core.dim_lms "
        "where upper(lms_code) = upper($wanted) or lower(lms_name) = lower($wanted)",
        {"wanted": wanted.strip()},
    ).fetchall()
    if not rows:
        raise PerinatalError(
            f"no LMS {wanted!r} in this edition: give a code or the whole name. Codes: {', '.join(codes(connection))}"
        )
    return Lms(*rows[0])
