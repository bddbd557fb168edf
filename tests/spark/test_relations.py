"""What Spark reads is what DuckDB reads: the landed view of a layout, corrections and awkward paths included."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingest.archive import build_inputs
from ingest.archive.manifest import LandedReleases
from perinatal.home import Home
from warehouse import builder
from warehouse.landed import LandedRelease
from warehouse.spark import relations


@pytest.fixture(scope="module")
def releases(
    tmp_path_factory: pytest.TempPathFactory, mbrrace_sample: Path, landed: Callable[..., Any]
) -> list[LandedRelease]:
    """Give SYNTHETIC releases in a folder whose name has a blank, a quote, a plus and an accent."""
    home = Home(tmp_path_factory.mktemp("état + d'Ann"))
    landed(home, *sorted(mbrrace_sample.glob("*.csv")))
    found = LandedReleases(home.landed)
    return build_inputs.releases(found, found.in_use())


def test_landed_rows_are_the_same(spark: Any, releases: list[LandedRelease], tmp_path: Path) -> None:
    layouts = [one for one in build_inputs.layouts() if one.source_id in ("mbrrace", "nmpa")]
    builder.make_landed(tmp_path / "work.duckdb", layouts, releases)
    relations.read_layouts(spark, layouts, releases)
    relations.read_tables(spark, tmp_path / "work.duckdb", "landed", tmp_path)
    with duckdb.connect(str(tmp_path / "work.duckdb"), read_only=True) as connection:
        names = [f"{layout.source_id}__{layout.name}" for layout in layouts]
        for name in [*names, "release", "build"]:
            columns = [row[0] for row in connection.execute(f"describe landed.{name}").fetchall()]
            ours = connection.execute(f"select * from landed.{name}").fetchall()
            theirs = [tuple(row) for row in spark.table(f"landed__{name}").select(*columns).collect()]
            assert sorted(map(repr, theirs)) == sorted(map(repr, ours)), name
        rows = sum(item.rows_landed for item in releases if item.layout == "perinatal_mortality")
        assert rows
        assert connection.execute("select count(*) from landed.mbrrace__perinatal_mortality").fetchone() == (rows,)
