"""The sheets of a pack's workbook: the cover, the summary, one sheet a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from perinatal.settings import PROJECT_ROOT
from perinatal.sql import identifier
from publish.packs.areas import Lms
from publish.packs.summary import summary
from publish.packs.tables import HEADLINE, Described, PackTable
from publish.portal.wording import day_and_time
from publish.workbook import Sheet, write_workbook

SHEET_POINTS = 5
MOST_SHEET_ROWS = 100_000  # Excel opens a million, but slowly; the CSV has all


def write(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[Described], lms: Lms, facts: dict[str, Any], path: Path
) -> None:
    """Write the workbook of an LMS; `facts` is `edition.json`."""
    has_values = {"lms_indicator", "trust_indicator"} <= {item.table.name for item in tables}
    sheets = [summary(connection, lms, has_values=has_values), *(_sheet(connection, item, lms) for item in tables)]
    write_workbook(path, f"{lms.name} ({lms.code})", _cover(lms, facts), sheets, bool(facts["is_synthetic"]))


def _sheet(connection: duckdb.DuckDBPyConnection, item: Described, lms: Lms) -> Sheet:
    table = item.table
    query = _newest_points(table, lms) if table.series else lms.rows_of(table)
    columns = [column for column in item.columns if column[0] not in table.machine]
    chosen = ", ".join(identifier(name) for name, _ in columns)
    rows = connection.execute(f"select {chosen} from ({query}) limit {MOST_SHEET_ROWS}").fetchall()
    meanings = [item.meaning(name) for name, _ in columns]
    return Sheet(table.name, _description(item, len(rows)), columns, meanings, list(_cells(rows)))


def _description(item: Described, rows: int) -> str:
    """Return what a sheet holds, and what of it is in the CSV file only."""
    table, text = item.table, item.description
    if table.series:
        text += f" This sheet: values for everybody, the newest {SHEET_POINTS} points of each series"
        text += f"; {table.name}.csv has all."
    if rows == MOST_SHEET_ROWS:
        text += f" Only the first {MOST_SHEET_ROWS:,} rows stand here; {table.name}.csv has all."
    if table.machine:
        text += f" Columns that hold JSON stand in {table.name}.csv only."
    return text.strip()


def _newest_points(table: PackTable, lms: Lms) -> str:
    """Return the query of what the workbook shows of an indicator mart."""
    return f"""
        select * from ({lms.rows_of(table)})
        where {HEADLINE}
        qualify row_number() over (partition by {table.series} order by period_end desc, period_start) <= {SHEET_POINTS}
        order by all
        """


def _cells(rows: Sequence[Sequence[Any]]) -> Iterator[list[Any]]:
    """Yield rows as a workbook can hold them: lists joined, everything else that is no number or date as text."""
    for row in rows:
        yield ["; ".join(map(str, value)) if isinstance(value, list) else _plain(value) for value in row]


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | date | datetime | None) else str(value)


def _cover(lms: Lms, facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the lines of the cover: what it is, from when, how to read it."""
    real = "no: made from the publishers' releases"
    return [
        ("Local maternity system", f"{lms.name} ({lms.code})"),
        ("Begin with", "the sheet summary; the sheet contents leads to all others"),
        ("Region", lms.region_name),
        ("Integrated care board today", lms.icb_name),
        ("Edition", str(facts["edition_id"])),
        ("Made", day_and_time(str(facts["published_at"]))),
        ("Synthetic", "YES: invented sample data, about no real organisation" if facts["is_synthetic"] else real),
        ("Masked values", "The publisher hides small numbers: the cell is empty, with is_suppressed TRUE."),
        (
            "Incomplete values",
            "A trust of the area is masked or missing: value is empty, value_min and value_max are the bounds.",
        ),
        ("Warnings", "Read usage_warnings beside every value; the sheet usage_warnings says what each word means."),
        ("Verdict", "better or worse than comparator_value, and by whom (verdict_basis): deaths by MBRRACE-UK alone."),
        ("Sources", "release_key leads to the sheet releases: publisher, address, sha256, licence, dates."),
        ("Columns", "The sheet dictionary says what each column means; so does data_dictionary.csv."),
        ("Licence", "The figures are their publishers', under the licence beside each release."),
        (
            "Methods",
            (PROJECT_ROOT / "docs" / "methods.md").name + " of Perinatal Insights, and methods.html of its pages.",
        ),
    ]
