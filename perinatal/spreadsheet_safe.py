"""The one rule for text in CSV files that people open: what a spreadsheet would run as a formula gets an apostrophe."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from perinatal.sql import identifier, literal

if TYPE_CHECKING:
    import duckdb

# how text starts that a spreadsheet would run, or whose start its import strips down to such; the same in RE2 (DuckDB)
FORMULA = r"^([ \t\n\f\r]*[=+@-]|[\t\r\n])"
AFTER = "A"  # every such start sorts before it, and most texts after: a cheap look spares them the pattern


def safe_text(text: str) -> str:
    """Return a text with an apostrophe before it where a spreadsheet would run it as a formula."""
    return f"'{text}" if re.search(FORMULA, text) else text


def safe_cell(value: Any) -> Any:
    """Return a value as CSV files show it: lists joined by "; ", and no text that starts like a formula."""
    if isinstance(value, list):
        value = "; ".join(str(item) for item in value if item is not None)
    return safe_text(value) if isinstance(value, str) else value


def safe_columns(relation: duckdb.DuckDBPyRelation) -> str:
    """Return a select list in which no text starts like a spreadsheet formula, and lists are joined by "; "."""
    columns = []
    for name, kind in zip(relation.columns, relation.types, strict=True):
        quoted, text = identifier(name), str(kind)
        shown = f"array_to_string({quoted}, '; ')" if text.endswith("[]") else quoted
        if text == "VARCHAR" or text.endswith("[]"):
            is_formula = f"{shown} < {literal(AFTER)} and regexp_matches({shown}, {literal(FORMULA)})"
            columns.append(f"if({is_formula}, '''' || {shown}, {shown}) as {quoted}")
        else:
            columns.append(quoted)
    return ", ".join(columns)
