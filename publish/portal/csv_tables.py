"""The CSV files that stand beside the pages: values of an LMS, a trust, an indicator; releases, checks, dictionary."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

import duckdb

from perinatal.made_files import MadeFiles
from perinatal.spreadsheet_safe import safe_columns
from publish.partition import KEY, Parts, write_table
from publish.portal import wording as words
from publish.portal.model import Record
from publish.portal.reader import Reader


def write_tables(connection: duckdb.DuckDBPyConnection, made: MadeFiles) -> None:
    """Write the CSV that stands beside each page: values of an LMS, a trust, an indicator; releases, checks."""
    headline = connection.table("headline")
    columns = safe_columns(headline)
    wanted = {
        "lms": ("lms_code", "level in ('lms', 'trust') and lms_code is not null"),
        "trust": ("code", "level = 'trust'"),
        "indicator": ("indicator_id", "true"),
    }
    for name, (key, condition) in wanted.items():
        order = "source_id, indicator_id, level, code, period_start, period_end"
        parts = Parts(connection, f"select *, {key} as {KEY} from headline where {condition}", f"{KEY}, {order}")
        parts.write(made, lambda part, name=name: f"{name}/{words.slug(part)}", {"csv": columns})  # type: ignore[misc]
    whole = {
        "indicators": "core.dim_indicator",
        "releases": "core.dim_release",
        "quality-alerts": "quality.alert",
        "quality-releases": "quality.source_health",
        "quality-checks": "quality.check_result",
        "quality-completeness": "quality.org_completeness",
    }
    reader = Reader(connection)
    for name, table in whole.items():
        if reader.has(table):
            columns = safe_columns(connection.table(table))
            write_table(connection, table, made, {f"{name}.csv": ("csv", columns)})


def dictionary_text(schemas: Mapping[str, Sequence[Record]]) -> str:
    """Return what each column means as CSV, a row a column; `schemas` are the described tables by schema."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["schema", "table", "column", "type", "description"])
    writer.writerows(
        [schema, table["name"], *column.values()]
        for schema, tables in schemas.items()
        for table in tables
        for column in table["columns"]
    )
    return text.getvalue()
