"""`perinatal stats`: the statistics of one kind on a CSV file, as CSV."""

from __future__ import annotations

import csv
import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from perinatal.errors import PerinatalError
from warehouse.statistics import csv_table, funnel, inequality, intervals, ratio, spc, trend
from warehouse.statistics.csv_table import plain_name

if TYPE_CHECKING:
    from pathlib import Path

    from warehouse.statistics.csv_table import CsvTable

KINDS = ("rate", "proportion", "ratio", "funnel", "spc", "trend", "sii")


@dataclass(frozen=True)
class Table:
    """A result: column names, and rows of as many cells (text, float, int, bool or None)."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


def main(kind: str, path: Path, multiplier: float | None = None, out: TextIO | None = None) -> None:
    """Write the result of `run` as CSV: doubles that read back exactly, TRUE/FALSE, missing as empty."""
    table = run(kind, path, multiplier)
    writer = csv.writer(out or sys.stdout, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([_cell(value) for value in row] for row in table.rows)


def run(kind: str, path: Path, multiplier: float | None = None) -> Table:
    """Return the statistics of `kind` on the CSV file; errors name file, line, columns and remedy."""
    if kind not in KINDS:
        raise PerinatalError(f"unknown statistic '{kind}': use one of {', '.join(KINDS)}")
    _require_multiplier(kind, multiplier)
    import duckdb

    with duckdb.connect() as connection:
        table = csv_table.load(path, connection)
        query = _query(kind, table, multiplier)
        if kind == "ratio" and ratio.is_by_strata(table):
            return _result(table, query)
        return _merged(table, query)


def _require_multiplier(kind: str, multiplier: float | None) -> None:
    if multiplier is None:
        return
    if kind == "sii" and multiplier != 0 and math.isfinite(multiplier):
        return  # below 0 it turns the polarity
    if not (multiplier > 0 and math.isfinite(multiplier)):
        raise PerinatalError(f"--multiplier {multiplier} must be a number above 0, such as 100 or 1000")


def _query(kind: str, table: CsvTable, multiplier: float | None) -> str:
    match kind:
        case "funnel":
            return funnel.funnel(table, multiplier)
        case "ratio":
            return ratio.ratios(table, multiplier)
        case "sii":
            return inequality.slope_indices(table, multiplier)
        case "spc":
            return spc.spc(table)
        case "trend":
            return trend.trend(table)
        case _:
            return intervals.intervals(kind, table, multiplier)


def _result(table: CsvTable, query: str) -> Table:
    """Return the rows of a query with a first column `line`, in the order of the lines, without it."""
    result = table.connection.execute(f"from ({query}) order by line")
    return Table([str(column[0]) for column in result.description][1:], [row[1:] for row in result.fetchall()])


def _merged(table: CsvTable, query: str) -> Table:
    """Return the file's rows with the columns of a query beside them; a computed column replaces one of its name."""
    result = table.connection.execute(query)
    added = [str(column[0]) for column in result.description][1:]
    computed = {row[0]: row[1:] for row in result.fetchall()}
    positions = {plain_name(name): position for position, name in enumerate(added)}
    replaced = [positions.get(plain_name(name)) for name in table.header]
    new = [position for position in range(len(added)) if position not in replaced]
    rows = []
    for row in table.rows:
        ours = computed[row.line]
        kept = [cell if at is None else ours[at] for cell, at in zip(row.cells, replaced, strict=True)]
        rows.append((*kept, *(ours[position] for position in new)))
    return Table(table.header + [added[position] for position in new], rows)


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return repr(value) if isinstance(value, float) else value
