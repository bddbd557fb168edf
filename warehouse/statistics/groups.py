"""Which columns of a file name a group of rows that belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perinatal.sql import literal

if TYPE_CHECKING:
    from warehouse.statistics.csv_table import CsvTable

GROUP_COLUMNS = (
    *("TestDescription", "indicator", "case", "series", "area", "trust", "organisation", "period", "year"),
    *("Grouping1", "Grouping2", "Grouping3", "group"),
)


def group_columns(table: CsvTable) -> list[str]:
    """Return the file's columns that name a group, in the file's own spelling and order."""
    return table.spelled(*GROUP_COLUMNS)


def group_key(table: CsvTable) -> str:
    """Return the SQL of a row's group: one text for all columns that name it, '' where the file has none."""
    parts = [table.text(name, "") for name in group_columns(table)]
    return f"concat_ws({literal(chr(31))}, {', '.join(parts)})" if parts else "''"
