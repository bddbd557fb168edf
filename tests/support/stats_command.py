"""What the tests of the statistics share: a macro's result, and `perinatal stats` on a CSV text."""

import csv
import io
from pathlib import Path
from typing import Any

import duckdb

from warehouse import statistics as stats

CONNECTION = duckdb.connect()
Rows = list[dict[str, str]]


def query(template: str, **names: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a template that calls the project's macros."""
    return CONNECTION.execute(stats.render(template, **names)).fetchall()


def command(kind: str, folder: Path, text: str, multiplier: float | None = None) -> Rows:
    """Return what `perinatal stats` writes for a CSV text, which becomes given.csv in a folder."""
    path = folder / "given.csv"
    path.write_text(text, encoding="utf-8")
    out = io.StringIO()
    stats.main(kind, path, multiplier, out)
    return list(csv.DictReader(io.StringIO(out.getvalue())))


def written(rows: list[dict[str, Any]]) -> str:
    """Return rows as CSV text."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
