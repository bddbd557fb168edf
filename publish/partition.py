"""One file for each organisation or indicator from one query: DuckDB writes the parts, then they get their names."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

import duckdb

Form = Literal["csv", "parquet"]

KEY = "part_key"
OPTIONS = {"csv": "format csv, header", "parquet": "format parquet, compression zstd"}


def write_parts(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    target: Callable[[str], Path],
    form: Form = "csv",
) -> list[Path]:
    """Write the rows of `sql` into the file that `target` names for their column `part_key`; the key is not written.

    Each file has its rows in the order that `sql` gives. DuckDB keeps that order, on one thread and in one file a part,
    only where the rows of a part follow each other: so they are put together first.
    """
    placed = f"select *, row_number() over () as place_in_sql from ({sql})"
    together = f"select * exclude (place_in_sql) from ({placed}) order by {KEY}, place_in_sql"
    written = []
    with tempfile.TemporaryDirectory() as folder:
        connection.execute("set threads = 1")
        connection.execute(
            f"copy ({together}) to '{folder}/parts' ({OPTIONS[form]}, partition_by ({KEY}), filename_pattern 'rows')"
        )
        connection.execute("reset threads")
        for part in sorted(Path(folder, "parts").glob(f"{KEY}=*")):
            path = target(unquote(part.name.removeprefix(f"{KEY}=")))
            path.parent.mkdir(parents=True, exist_ok=True)
            (found,) = part.iterdir()
            shutil.move(found, path)
            written.append(path)
    return written
