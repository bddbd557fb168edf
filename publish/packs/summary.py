"""The sheet to begin with: a row an indicator, the LMS's newest value and beside it those of its trusts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from publish.packs.areas import Lms
from publish.packs.tables import HEADLINE
from publish.workbook import Sheet

DESCRIPTION = (
    "Begin here: the newest value of each indicator for the LMS, beside it its trusts. Masked: the publisher hides a "
    "small number. Between: a trust is masked or missing. The other sheets have the periods, intervals and warnings."
)
COLUMNS = (
    ("Indicator", "VARCHAR", "Name of the indicator."),
    ("Unit", "VARCHAR", "Unit of all values in the row."),
    ("Source", "VARCHAR", "Source of the figures."),
    ("Period", "VARCHAR", "Newest period that the source has for the LMS or a trust of it."),
    ("LMS", "DOUBLE", "Value of the LMS, or what is shown instead."),
    ("From", "DOUBLE", "Lower 95% limit of the LMS's value."),
    ("To", "DOUBLE", "Upper 95% limit of the LMS's value."),
    ("Compared with", "DOUBLE", "Value that the LMS is compared with: England's."),
    ("Verdict", "VARCHAR", "better, similar or worse than that; nothing where nothing may be concluded."),
    ("Recent trend", "VARCHAR", "Trend of the LMS over the last five points."),
)
# the newest figures of each indicator and source for the LMS and its trusts
NEWEST = f"""
with
    everyone as (
        select lms_code as code, lms_name as name, 0 as sort_order, *
        from marts.lms_indicator
        where {HEADLINE} and lms_code = $lms
        union all by name
        select trust_code as code, trust_name as name, 1 as sort_order, *
        from marts.trust_indicator
        where {HEADLINE} and lms_code = $lms
    )
select *
from everyone
qualify
    row_number() over (partition by code, source_id, indicator_id order by period_end desc, period_start desc) = 1
    and max(period_end) over (partition by source_id, indicator_id) = period_end
order by indicator_name, indicator_id, source_id, sort_order, name
"""


def summary(connection: duckdb.DuckDBPyConnection, lms: Lms, *, has_values: bool) -> Sheet:
    """Return the sheet; it has no rows where the edition holds no values of trusts and LMSs."""
    cells, trusts = _newest_values(connection, lms) if has_values else ({}, {})
    shown = [row for row in cells.values() if any(_value(value) is not None for value in row.values())]
    return Sheet(
        "summary",
        DESCRIPTION,
        [(name, kind) for name, kind, _ in COLUMNS] + [(name, "DOUBLE") for name in trusts.values()],
        [meaning for *_, meaning in COLUMNS] + [f"Newest value of {name}." for name in trusts.values()],
        [_row(lms, list(trusts), row) for row in shown],
    )


Cells = dict[tuple[str, str], dict[str, dict[str, Any]]]  # indicator and source → organisation → the mart's row


def _newest_values(connection: duckdb.DuckDBPyConnection, lms: Lms) -> tuple[Cells, dict[str, str]]:
    """Return the marts' newest rows, and the trusts that have any by code and name."""
    found: Cells = {}
    trusts: dict[str, str] = {}
    cursor = connection.execute(NEWEST, {"lms": lms.code})
    names = [column[0] for column in cursor.description or []]
    for cells in cursor.fetchall():
        row = dict(zip(names, cells, strict=True))
        found.setdefault((row["indicator_id"], row["source_id"]), {})[row["code"]] = row
        if row["code"] != lms.code:
            trusts[row["code"]] = row["name"]
    return found, trusts


def _row(lms: Lms, trusts: Sequence[str], cells: dict[str, dict[str, Any]]) -> list[Any]:
    """Return an indicator's row of the summary; `cells` are the marts' rows by organisation."""
    some, own = next(iter(cells.values())), cells.get(lms.code, {})
    about = [some[name] for name in ("indicator_name", "unit", "source_id", "period_label")]
    limits = [own.get(name) for name in ("lower_95", "upper_95", "comparator_value", "verdict", "recent_trend")]
    return [*about, _value(own), *limits, *(_value(cells.get(code, {})) for code in trusts)]


def _value(row: dict[str, Any]) -> Any:
    if row.get("value") is not None:
        return row["value"]
    if row.get("is_suppressed"):
        return "Masked"
    if row.get("value_min") is not None and row.get("value_max") is not None:
        return f"Between {row['value_min']:.2f} and {row['value_max']:.2f}"
    return None
