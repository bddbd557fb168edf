"""The example queries with what they answer on this edition, for the page that shows them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

import duckdb

from perinatal.made_files import MadeFiles
from perinatal.spreadsheet_safe import safe_cell
from publish.portal import prose

SHOWN: Final = 10  # rows of an answer


@dataclass(frozen=True)
class Answer:
    """A query and the first rows that it gives; `problem` says why it gives none, where the edition lacks a table."""

    name: str
    asks: str
    sql: str
    columns: list[str]
    rows: list[list[str]]
    has_more: bool = False
    problem: str = ""


def answers(connection: duckdb.DuckDBPyConnection, made: MadeFiles) -> list[Answer]:
    """Ask each example query and write its whole answer as CSV into the portal's folder `queries`.

    One thread asks, so that rows which tie come in the same order each time.
    """
    connection.execute("set threads = 1")
    found = [_answer(connection, made, **query) for query in prose.queries()]
    connection.execute("reset threads")
    return found


def _answer(connection: duckdb.DuckDBPyConnection, made: MadeFiles, name: str, asks: str, text: str) -> Answer:
    try:
        cursor = connection.execute(text)
    except duckdb.CatalogException as error:
        return Answer(name, asks, text, [], [], problem=str(error).split("\n", maxsplit=1)[0])
    columns = [column for column, *_ in cursor.description]
    rows = cursor.fetchall()
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(map(safe_cell, columns))
    writer.writerows(map(safe_cell, row) for row in rows)
    made.text(f"queries/{PurePath(name).stem}.csv", lambda _: written.getvalue())
    return Answer(name, asks, text, columns, [list(map(_text, row)) for row in rows[:SHOWN]], len(rows) > SHOWN)


def _text(cell: Any) -> str:
    """Write a cell of an answer: nothing for NULL, lists joined."""
    if isinstance(cell, list):
        return "; ".join(map(str, cell))
    return "" if cell is None else str(cell)
