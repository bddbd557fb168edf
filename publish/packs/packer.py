"""Writes the files of packs from one edition: tables as CSV and Parquet, then what describes them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from functools import cached_property

import duckdb

from perinatal.made_files import UNNAMED, MadeFiles
from perinatal.spreadsheet_safe import safe_columns
from publish.packs import sheets
from publish.packs.areas import Lms
from publish.packs.data_package import datapackage, resource
from publish.packs.figures import Figures
from publish.packs.tables import PackTable, described
from publish.partition import KEY, Files, Parts, rows_as
from publish.workbook import write_workbook


class Packer:
    """Writes packs from one edition file, each into the folder of its LMS below that of `made`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, made: MadeFiles, *, is_synthetic: bool) -> None:
        self.connection = connection
        self.made = made
        self.is_synthetic = is_synthetic
        self.tables = described(connection)
        self.resources = [resource(item) for item in self.tables]

    @cached_property
    def figures(self) -> Figures:
        """Return what the workbooks show: read once, for all LMSs."""
        return Figures(self.connection)

    @cached_property
    def dictionary(self) -> str:
        """Return the text of the dictionary of a pack's tables."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["table", "column", "type", "description"])
        for item in self.tables:
            writer.writerows([item.table.name, name, kind, item.meaning(name)] for name, kind in item.columns)
        return text.getvalue()

    def cut(self, table: PackTable, folders: Mapping[str, Lms]) -> None:
        """Write one table as CSV and Parquet into the packs of these LMSs: one query for all of them.

        `folders` names the folder of each pack. Packs that hold the same rows share one file.
        """
        wanted: dict[str, list[str]] = {}
        for folder, lms in folders.items():
            wanted.setdefault(lms.key_in(table), []).append(f"{folder}{table.name}")
        parts = Parts(self.connection, table.rows, "all")
        as_csv = Files("csv", wanted, rows_as(safe_columns(parts.relation)))
        parts.write(self.made, as_csv, Files("parquet", wanted, rows_as(f"* exclude ({KEY})")))

    def complete(self, lms: Lms, folder: str) -> None:
        """Add workbook, dictionary and datapackage.json to a pack that has its tables."""
        self.made.text(f"{folder}data_dictionary.csv", lambda _: self.dictionary)
        self.made.text(
            f"{folder}datapackage.json",
            lambda since: datapackage(lms, since, self.resources, is_synthetic=self.is_synthetic),
        )
        book = sheets.workbook(self.figures, lms, is_synthetic=self.is_synthetic)
        self.made.write(
            f"{folder}{lms.code}.xlsx",
            self.made.key(repr(book(UNNAMED))),
            lambda path, since: write_workbook(path, book(since)),
        )
