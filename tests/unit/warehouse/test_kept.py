"""Observations that builds keep: made again where rows, seeds or code have changed, and nowhere else."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest
from landed_rows import landed

from ingest.archive import build_inputs
from ingest.archive.manifest import LandedReleases
from perinatal.home import Home
from perinatal.settings import PROJECT_ROOT
from perinatal.shipped import files_below
from warehouse import builder, differences, kept
from warehouse.corrections import Correction
from warehouse.landed import LandedRelease


def year(folder: Path, release: str, smokers: int, trusts: Sequence[str] = ("RXH", "RAE")) -> LandedRelease:
    """Return a year of the Maternity Services Data Set: one distribution, and births."""
    return landed(folder, "msds", "annual", release, [
        {"period": release, "dimension": dimension, "org_level": "Provider", "org_code": code,
         "org_name": f"Trust {code}", "measure": measure, "count_of": counted, "value": value}
        for code in trusts
        for dimension, counted, measure, value in (
            ("SmokingStatusGroupBooking", "Women", "Smoker", str(smokers)),
            ("SmokingStatusGroupBooking", "Women", "Non-Smoker / Ex-Smoker", "90"),
            ("TotalBabies", "Babies", None, "120"),
        )
    ])  # fmt: skip


def fingertips(folder: Path, release: str, sexes: Sequence[str]) -> LandedRelease:
    return landed(folder, "fingertips", f"93085_{release}", release, [
        {"indicator_id": 93085, "indicator_name": "Smoking status", "area_code": "E92000001", "area_name": "England",
         "area_type": "England", "sex": sex, "age": "All ages", "time_period": release, "value": 10.0, "count": 10.0,
         "denominator": 100.0}
        for sex in sexes
    ])  # fmt: skip


@pytest.fixture
def releases(tmp_path: Path) -> list[LandedRelease]:
    return [
        year(tmp_path, "2021-22", 10),
        year(tmp_path, "2022-23", 20),
        fingertips(tmp_path, "2021", ["Female"]),
        fingertips(tmp_path, "2022", ["Female"]),
    ]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a copy of the code and the seeds that decide on observations."""
    for path in files_below(PROJECT_ROOT, kept.SHIPPED):
        target = tmp_path / "project" / path.relative_to(PROJECT_ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return tmp_path / "project"


def made_again(
    before: Sequence[LandedRelease], after: Sequence[LandedRelease], project: Path, *, root: Path = Path("kept")
) -> set[str]:
    """Return the releases of which observations would be made again, as source and release."""
    there = set(kept.folders(root, before, LAYOUTS).values())
    new = kept.folders(root, after, LAYOUTS, project)
    return {"/".join(key.split("/")[::2]) for key, folder in new.items() if folder not in there}


LAYOUTS = build_inputs.layouts()
ALL = {"msds/2021-22", "msds/2022-23", "fingertips/2021", "fingertips/2022"}


def test_nothing_changed_nothing_is_made_again(releases: list[LandedRelease], project: Path) -> None:
    assert made_again([], releases, project) == ALL
    assert made_again(releases, releases, project) == set()
    assert made_again(releases, releases[::-1], project) == set()


@pytest.mark.parametrize(
    "name",
    [
        "dbt_project/models/staging/msds/stg_msds__count.sql",
        "dbt_project/macros/names.sql",
        "dbt_project/seeds/reference/trust.csv",
        "dbt_project/models/staging/msds/new.sql",
        "expectations/no_values.py",
        "warehouse/corrections.py",
    ],
)
def test_other_code_or_another_seed_makes_all_again(releases: list[LandedRelease], project: Path, name: str) -> None:
    with (project / name).open("a") as out:
        out.write("\n")
    assert made_again(releases, releases, project) == ALL


def test_another_library_makes_all_again(
    releases: list[LandedRelease], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = kept.folders(Path("kept"), releases, LAYOUTS)
    monkeypatch.setattr(kept, "version", lambda _: "0")
    kept.rules_of.cache_clear()
    changed = kept.folders(Path("kept"), releases, LAYOUTS, project)
    kept.rules_of.cache_clear()
    assert not set(there.values()) & set(changed.values())


def test_a_release_makes_itself_again_and_no_other_where_each_stands_alone(
    releases: list[LandedRelease], project: Path, tmp_path: Path
) -> None:
    more = year(tmp_path, "2023-24", 30)
    assert made_again(releases, [*releases, more], project) == {"msds/2023-24"}
    there = kept.folders(Path("kept"), releases, LAYOUTS)
    year(tmp_path, "2022-23", 21)  # other rows under the same name
    changed = kept.folders(Path("kept"), releases, LAYOUTS, project)
    assert [key for key in there if changed[key] != there[key]] == ["msds/annual/2022-23"]


def test_a_correction_makes_its_release_again(releases: list[LandedRelease], project: Path) -> None:
    correction = Correction(
        id="one", dataset="annual", release="2021-22", match={"org_code": "RXH"}, column="value", expect="10",
        value="11", reason="a test", reported_by="a test", date=date(2026, 1, 1),
    )  # fmt: skip
    corrected = [replace(releases[0], corrections=(correction,)), *releases[1:]]
    assert made_again(releases, corrected, project) == {"msds/2021-22"}


def test_a_release_of_a_source_that_looks_across_releases_makes_all_of_it_again(
    releases: list[LandedRelease], project: Path, tmp_path: Path
) -> None:
    more = fingertips(tmp_path, "2023", ["Female"])
    every = {"fingertips/2021", "fingertips/2022", "fingertips/2023"}
    assert made_again(releases, [*releases, more], project) == every
    assert made_again(releases, releases[:-1], project) == {"fingertips/2021"}


def test_restricted_releases_are_not_kept(releases: list[LandedRelease]) -> None:
    restricted = [replace(item, audience="restricted") for item in releases]
    assert kept.folders(Path("kept"), restricted, LAYOUTS) == {}


def test_another_contract_of_columns_makes_its_layout_again(releases: list[LandedRelease]) -> None:
    """What stands for no value in a column is read by its type."""
    changed = [
        replace(layout, columns=tuple(replace(column, type="text") for column in layout.columns))
        if layout.source_id == "msds"
        else layout
        for layout in LAYOUTS
    ]
    before, after = (kept.folders(Path("kept"), releases, layouts) for layouts in (LAYOUTS, changed))
    assert {key for key in before if before[key] != after[key]} == {item.release_key for item in releases[:2]}


@pytest.mark.parametrize("fact", ["published_on", "fetched_at", "status"])
def test_what_ranks_a_release_makes_it_again(releases: list[LandedRelease], project: Path, fact: str) -> None:
    ranked = [*releases[:2], replace(releases[2], **{fact: "2030-01-01"}), releases[3]]
    assert made_again(releases, ranked, project) == {"fingertips/2021", "fingertips/2022"}


def keep(folder: Path, rows: int = 1) -> Path:
    """Keep a Parquet file in a folder, as a build does."""
    folder.mkdir(parents=True)
    path = folder / "rows.parquet"
    duckdb.sql(f"select * from range({rows})").write_parquet(str(path))
    (folder / kept.LISTED).write_text("rows.parquet\n", encoding="utf-8")
    return path


def test_what_is_out_of_use_goes_and_a_damaged_folder_is_made_again(
    releases: list[LandedRelease], tmp_path: Path
) -> None:
    root = tmp_path / "kept"
    places = kept.folders(root, releases, LAYOUTS)
    cut_off, emptied, *others = [keep(folder) for folder in places.values()]
    assert set(kept.present(places, releases)) == set(places)
    cut_off.write_bytes(b"PAR1 cut off")
    emptied.unlink()  # a kill while the cache was removed: no release without observations
    assert set(kept.present(places, releases)) == set(list(places)[2:])
    assert [path.parent.exists() for path in (cut_off, emptied, *others)] == [False, False, True, True]
    (root / ".keeping-of-a-killed-build").mkdir()
    assert kept.prune(root, releases[2:], LAYOUTS) == 1  # what a killed build has left
    assert set(root.iterdir()) == {places[item.release_key] for item in releases[2:]}


def test_a_source_that_looks_across_releases_is_kept_whole_or_not_at_all(
    releases: list[LandedRelease], tmp_path: Path
) -> None:
    """A build that was killed has kept one of two: made alone, the other would not see the rows of the first."""
    places = kept.folders(tmp_path / "kept", releases, LAYOUTS)
    msds, _, first, second = places.values()
    keep(msds)
    keep(second)
    assert set(kept.present(places, releases)) == {releases[0].release_key}
    assert (msds.exists(), first.exists(), second.exists()) == (True, False, False)


class Builds:
    """Builds over one folder of kept observations, each compared with one that makes everything."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count = folder, 0

    def build(self, releases: Sequence[LandedRelease], keeping: Path | None) -> Path:
        self.count += 1
        folder, target = self.folder / f"build-{self.count}", self.folder / "target"
        return builder.build(folder, target, build_inputs.layouts(), releases, "duckdb", keeping)

    def made(self) -> set[str]:
        """Return the releases of which the last build has made observations."""
        with duckdb.connect(str(self.folder / f"build-{self.count}" / "work.duckdb"), read_only=True) as connection:
            return {key for (key,) in connection.execute(f"select distinct release_key from {kept.MADE}").fetchall()}


def equal(left: Path, right: Path) -> list[str]:
    return [table.table for table in differences.compare(left, right) if not table.is_equal and -1 not in table.rows]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_build_makes_what_is_new_and_equals_a_full_one(tmp_path: Path) -> None:
    builds, keeping = Builds(tmp_path), tmp_path / "keeping"
    first = [
        year(tmp_path, "2021-22", 10),
        year(tmp_path, "2022-23", 20, ["RXH"]),
        fingertips(tmp_path, "2021", ["Female"]),
    ]
    builds.build(first, keeping)
    assert builds.made() == {item.release_key for item in first}
    # another sex makes Persons the headline of the indicator, in the older release too
    second = [*first[1:], year(tmp_path, "2023-24", 30), fingertips(tmp_path, "2022", ["Female", "Persons"])]
    partial = builds.build(second, keeping)
    assert builds.made() == {second[2].release_key, second[1].release_key, second[3].release_key}
    full = builds.build(second, None)
    assert builds.made() == {item.release_key for item in second}
    assert equal(partial, full) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_real_releases_kept_give_the_tables_of_a_full_build(published: Home, tmp_path: Path) -> None:
    landed_ = LandedReleases(published.landed)
    releases = build_inputs.releases(landed_, landed_.in_use())
    builds = Builds(tmp_path)
    partial = builds.build(releases, published.observations)
    assert builds.made() == set()
    assert equal(partial, published.database) == []
