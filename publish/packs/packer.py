"""Writes the files of packs from one edition: tables as CSV and Parquet, then what describes them."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from perinatal.spreadsheet_safe import safe_columns
from publish.packs import sheets
from publish.packs.areas import Lms, all_rows_of
from publish.packs.data_package import datapackage, resource
from publish.packs.figures import Figures
from publish.packs.tables import PackTable, described
from publish.partition import KEY, Form, write_parts


class Packer:
    """Writes packs from one edition file; `facts` is its `edition.json`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, facts: dict[str, Any]) -> None:
        self.connection = connection
        self.facts = facts
        self.tables = described(connection)
        self.resources = [resource(item) for item in self.tables]

    @cached_property
    def figures(self) -> Figures:
        """Return what the workbooks show: read once, for all LMSs."""
        return Figures(self.connection)

    def tables_of(self, lms: Lms, out: Path) -> None:
        """Write the tables of one LMS as CSV and Parquet."""
        for item in self.tables:
            relation = self.connection.sql(lms.rows_of(item.table))
            relation.write_parquet(str(out / f"{item.table.name}.parquet"), compression="zstd")
            relation.project(safe_columns(relation)).write_csv(str(out / f"{item.table.name}.csv"))

    def cut(self, table: PackTable, everyone: Sequence[Lms], folder: Path) -> None:
        """Write one table as CSV and Parquet into all packs: one query for all of them."""
        relation = self.connection.sql(all_rows_of(table))
        forms: tuple[tuple[Form, str], ...] = (("csv", safe_columns(relation)), ("parquet", "*"))
        for form, columns in forms:
            whole = folder / f"whole.{form}"
            _write_whole(relation.limit(0) if table.key else relation, whole, columns)
            shares = self._shares(relation, table, columns, folder, form) if table.key else {}
            for lms in everyone:
                share = shares.get(lms.key_in(table), whole)
                shutil.copyfile(share, folder / lms.code / f"{table.name}.{form}")
            for path in [whole, *shares.values()]:
                path.unlink()

    def _shares(
        self, relation: duckdb.DuckDBPyRelation, table: PackTable, columns: str, folder: Path, form: Form
    ) -> dict[str, Path]:
        """Write the rows of each key into a file of its own; returns the files by key."""
        shares: dict[str, Path] = {}

        def share_of(key: str) -> Path:
            shares[key] = folder / f"share-{len(shares)}.{form}"
            return shares[key]

        parts = f"select {columns}, {table.key} as {KEY} from ({relation.sql_query()}) where {table.key} is not null"
        write_parts(self.connection, parts, share_of, form)
        return shares

    def complete(self, lms: Lms, out: Path) -> None:
        """Add workbook, dictionary and datapackage.json to a pack that has its tables."""
        with (out / "data_dictionary.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["table", "column", "type", "description"])
            for item in self.tables:
                writer.writerows([item.table.name, name, kind, item.meaning(name)] for name, kind in item.columns)
        (out / "datapackage.json").write_text(datapackage(lms, self.facts, self.resources), encoding="utf-8")
        sheets.write(self.figures, lms, self.facts, out / f"{lms.code}.xlsx")


def _write_whole(relation: duckdb.DuckDBPyRelation, path: Path, columns: str) -> None:
    if path.suffix == ".csv":
        relation.project(columns).write_csv(str(path))
    else:
        relation.write_parquet(str(path), compression="zstd")
