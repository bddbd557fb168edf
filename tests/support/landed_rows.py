"""Made-up rows of a layout, written as landing writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from ingest.archive import build_inputs
from perinatal.sql import identifier
from warehouse.landed import LandedRelease

COLUMNS = {(layout.source_id, layout.name): layout.columns for layout in build_inputs.layouts()}


def landed(folder: Path, source_id: str, dataset: str, release: str, rows: list[dict[str, Any]]) -> LandedRelease:
    """Write rows as landing does; return their release."""
    layout = "data" if source_id == "fingertips" else dataset
    columns = COLUMNS[source_id, layout]
    path = folder / f"{source_id}-{dataset}-{release}.parquet"
    with duckdb.connect() as connection:
        kinds = ", ".join(f"{identifier(column.name)} {column.sql_type}" for column in columns)
        connection.execute(
            f"create table rows (source_row bigint, {kinds}, cast_errors varchar[], cell_marks varchar[])"
        )
        for number, row in enumerate(rows, start=2):
            names = ", ".join(map(identifier, row))
            marks = ", ".join("?" for _ in row)
            connection.execute(f"insert into rows (source_row, {names}) values (?, {marks})", [number, *row.values()])
        connection.table("rows").write_parquet(str(path))
    return LandedRelease(
        release_key=f"{source_id}/{dataset}/{release}", source_id=source_id, dataset=dataset, layout=layout,
        release=release, revision=1, status="final", sha256="0" * 64, original_name=path.name, url=None,
        published_on=None, fetched_at="2026-11-28 09:00:00", publisher="Synthetic", licence="none", audience="public",
        is_synthetic=True, rows_in=len(rows), rows_landed=len(rows), rows_quarantined=0, has_arrival_warning=False,
        warned_rows=(), scope="row" if source_id == "fingertips" else "release", cadence_days=None, lag_days=0,
        grace_days=0, rows=path, corrections=(),
    )  # fmt: skip
