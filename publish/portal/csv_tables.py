"""The CSV files that stand beside the pages: values of an LMS, a trust, an indicator; releases, checks, dictionary."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

import duckdb

from perinatal.made_files import MadeFiles
from perinatal.spreadsheet_safe import safe_columns
from publish.partition import KEY, Files, Form, Parts, rows_as, write_tables
from publish.portal import wording as words
from publish.portal.api import Api
from publish.portal.model import Record
from publish.portal.reader import Reader

WHOLE = {
    "indicators": "core.dim_indicator",
    "releases": "core.dim_release",
    "quality-alerts": "quality.alert",
    "quality-releases": "quality.source_health",
    "quality-checks": "quality.check_result",
    "quality-completeness": "quality.org_completeness",
}


def write_figures(connection: duckdb.DuckDBPyConnection, made: MadeFiles, *, is_synthetic: bool) -> None:
    """Write the values of each LMS, trust and indicator: as CSV beside its page, and as JSON for programs.

    Rows are sorted once for each of the three; memory holds a few files.
    """
    columns = rows_as(safe_columns(connection.table("headline")))
    programs = Api(connection, is_synthetic=is_synthetic)
    trusts = connection.execute("select distinct code from headline where level = 'trust'").fetchall()
    by_trust = {code: [f"trust/{words.slug(code)}"] for (code,) in trusts}
    wanted = {
        "lms_code": ("level in ('lms', 'trust')", [Files("csv", lambda code: f"lms/{words.slug(code)}", columns)]),
        "code": ("true", [Files("csv", by_trust, columns), programs.of_organisations()]),
        "indicator_id": (
            "true",
            [Files("csv", lambda code: f"indicator/{words.slug(code)}", columns), programs.of_indicators()],
        ),
    }
    order = "source_id, indicator_id, level, code, period_start, period_end"
    for key, (condition, kinds) in wanted.items():
        sql = f"select *, {key} as {KEY} from headline where {condition}"
        Parts(connection, sql, f"{KEY}, {order}").write(made, *kinds)
    programs.write_lists(made)


def write_whole(connection: duckdb.DuckDBPyConnection, made: MadeFiles) -> None:
    """Write whole tables as CSV: indicators, releases, checks, alerts."""
    reader = Reader(connection)
    found = {name: table for name, table in WHOLE.items() if reader.has(table)}
    forms: dict[str, dict[str, tuple[Form, str]]] = {
        table: {f"{name}.csv": ("csv", safe_columns(connection.table(table)))} for name, table in found.items()
    }
    write_tables(connection, made, forms)


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
