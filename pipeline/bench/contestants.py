"""Who lands a file: `python -m pipeline.bench.contestants WHO FILE FOLDER`; says its seconds without imports.

The others do less: they type the file and write it. Perinatal hashes, archives (synced to disk), types by contract with
lineage, hashes the content, asks the arrival gate and commits.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any, Final

import psutil

TYPES: Final = {"integer": "bigint", "number": "double"}


def _types() -> dict[str, str]:
    """Return the published header with the types of the contract, for contestants that need them."""
    from ingest import registry

    columns = registry.source("fingertips").columns["data"]
    return {name: TYPES.get(column.type, "varchar") for column in columns for name in column.published_names}


def _header(file: Path) -> dict[str, str]:
    with file.open(encoding="utf-8") as handle:
        names = handle.readline().strip().split(",")
    types = _types()
    return {name: types.get(name, "varchar") for name in names}


def bare_duckdb(file: Path, folder: Path) -> Callable[[], None]:
    """Return DuckDB's own typed CSV → Parquet."""
    import duckdb

    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in _header(file).items())

    def work() -> None:
        duckdb.execute(
            f"copy (from read_csv('{file}', header = true, columns = {{{columns}}})) "
            f"to '{folder / 'rows.parquet'}' (format parquet)"
        )

    return work


def pandas(file: Path, folder: Path) -> Callable[[], None]:
    """Return pandas' read_csv → to_parquet."""
    import pandas as pd
    import pyarrow  # noqa: F401 - pandas writes with it; imports are not timed

    return lambda: pd.read_csv(file, low_memory=False).to_parquet(folder / "rows.parquet")


def dlt(file: Path, folder: Path) -> Callable[[], None]:
    """Return dlt into DuckDB, in its fastest way: Arrow batches, read by pyarrow with the types given."""
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    import dlt as library
    import pyarrow as pa
    from pyarrow import csv

    arrow = {"bigint": pa.int64(), "double": pa.float64(), "varchar": pa.string()}
    types = {name: arrow[kind] for name, kind in _header(file).items()}

    def rows() -> Iterator[Any]:
        yield from csv.open_csv(file, convert_options=csv.ConvertOptions(column_types=types, strings_can_be_null=True))

    def work() -> None:
        pipeline = library.pipeline(
            "bench",
            pipelines_dir=str(folder / "dlt"),
            destination=library.destinations.duckdb(str(folder / "dlt.duckdb")),
            dataset_name="landed",
        )
        pipeline.run(library.resource(rows, name="rows"), write_disposition="replace")

    return work


def perinatal(file: Path, folder: Path) -> Callable[[], float]:
    """Return landing as the product does it; the work returns the seconds of the arrival gate in it."""
    import great_expectations  # noqa: F401 - imports are timed for none of them

    from ingest import registry
    from ingest.land import landing
    from ingest.land.arriving_file import Arrival
    from ingest.stores import Stores
    from perinatal.home import Home
    from pipeline.bench import judging

    stores = Stores.of(Home(folder))
    file_ = Arrival(registry.source("fingertips"), file.name, is_synthetic=True)

    def work() -> float:
        with judging.timed() as spent:
            landing.land(stores, file, file_)
        return sum(spent)

    return work


CONTESTANTS: Final[dict[str, Callable[[Path, Path], Callable[[], float | None]]]] = {
    "perinatal": perinatal,
    "duckdb": bare_duckdb,
    "pandas": pandas,
    "dlt": dlt,
}


def main() -> None:
    """Prepare, then time the work alone."""
    who, file, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    work = CONTESTANTS[who](file, folder)
    imports = psutil.Process().memory_info().rss / 1e6
    start = monotonic()
    gate = work()
    print(json.dumps({"seconds": monotonic() - start, "gate": gate or 0.0, "imports_mb": imports}))


if __name__ == "__main__":
    main()
