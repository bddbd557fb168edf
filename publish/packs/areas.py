"""Whose pack it is: an LMS by code or name, and which rows of a table are its own."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from perinatal.errors import PerinatalError
from publish.packs.tables import EVERYBODY, PackTable

SYSTEMS = "select lms_code, lms_name, region_code, region_name, icb_name from core.dim_lms"


@dataclass(frozen=True)
class Lms:
    """Whose pack it is."""

    code: str
    name: str
    region_code: str
    region_name: str
    icb_name: str

    def key_in(self, table: PackTable) -> str:
        """Return the code that marks the LMS's rows of a table: its own, its region's, or that of everybody's."""
        if table.key is None:
            return EVERYBODY
        return self.region_code if table.region else self.code


def everyone(connection: duckdb.DuckDBPyConnection) -> list[Lms]:
    """Return all LMSs by code."""
    return [Lms(*row) for row in connection.execute(f"{SYSTEMS} order by lms_code").fetchall()]


def find(connection: duckdb.DuckDBPyConnection, wanted: str) -> Lms:
    """Return an LMS by code or whole name. Raises PerinatalError, with all codes, for one that is not there."""
    rows = connection.execute(
        f"{SYSTEMS} where upper(lms_code) = upper($wanted) or lower(lms_name) = lower($wanted)",
        {"wanted": wanted.strip()},
    ).fetchall()
    if not rows:
        codes = ", ".join(lms.code for lms in everyone(connection))
        raise PerinatalError(f"no LMS {wanted!r} in this edition: give a code or the whole name. Codes: {codes}")
    return Lms(*rows[0])
