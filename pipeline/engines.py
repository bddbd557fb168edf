"""The same landed releases through both engines, table for table."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest.archive import build_inputs
from ingest.archive.manifest import LandedReleases
from perinatal.console import step
from perinatal.durable import locked
from perinatal.errors import PerinatalError
from perinatal.home import Home
from perinatal.priority import give_way
from perinatal.settings import Engine
from warehouse import builder, differences
from warehouse.differences import TableDifference

ENGINES: tuple[Engine, ...] = ("duckdb", "spark")


def compare(home: Home) -> list[TableDifference]:
    """Make the models on both engines in a folder that is removed afterwards; returns what differs, table by table.

    No edition is made. Raises PerinatalError where nothing is landed.
    """
    landed = LandedReleases(home.landed)
    releases = build_inputs.releases(landed, landed.in_use())
    if not releases:
        raise PerinatalError("nothing to compare: nothing is landed yet. Land files, or try `refresh --sample`")
    with locked(home.root / ".build.lock"):
        give_way()
        folder = home.build / f"engines-{os.getpid()}"
        made: list[Path] = []
        try:
            for engine in ENGINES:
                with step(f"Models of {len(releases)} release(s) on {engine}"):
                    made.append(
                        builder.build(folder / engine, home.cache / "dbt", build_inputs.layouts(), releases, engine)
                    )
            return differences.compare(*made)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def report(found: Sequence[TableDifference]) -> Iterator[str]:
    """Yield what was found in lines: the tables that differ, how and where, then how many are equal."""
    for table in found:
        if not table.is_equal:
            yield f"{table.table}: {table.rows[0]:,} rows on duckdb, {table.rows[1]:,} on spark"
            yield from (f"  {column}: differs in {count:,} row(s)" for column, count in table.columns.items())
            yield from (f"    {example}" for example in table.examples)
    equal = [table for table in found if table.is_equal]
    yield f"{len(equal)} of {len(found)} tables are equal, {sum(table.rows[0] for table in equal):,} rows"
