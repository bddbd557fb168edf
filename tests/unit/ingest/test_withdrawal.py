"""A landed release leaves use and comes back; nothing of it is removed."""

from dataclasses import replace
from pathlib import Path

import pytest

from ingest.archive.manifest import LandedReleases, Manifest
from ingest.land import withdrawal
from ingest.stores import Stores
from perinatal.errors import PerinatalError
from perinatal.home import Home
from perinatal.json_lines import read_records

WARNING = {
    "suite": "s",
    "rule": "late",
    "expectation": "e",
    "severity": "warn",
    "dimension": "validity",
    "success": False,
    "observed": 1.0,
    "minimum": None,
    "maximum": None,
    "message": "late",
    "remedy": "ask",
    "owner": "us",
    "affected_marts": [],
    "sample_rows": [],
}


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    """Give stores in which two releases of one dataset are landed."""
    found = Stores.of(Home(tmp_path))
    for release in ("2022", "2023"):
        item = Manifest(
            "made", "deaths", "deaths", release, 1, "final", release * 16, "c" * 64, 9, f"{release}.csv", None, None,
            None, "2026-01-01T00:00:00+00:00", "Made", "OGL", "public", False, 1, 3, 3, 0, ["a"],
            [WARNING] if release == "2023" else [],
        )  # fmt: skip
        _land(found.landed, item)
    return found


def _land(landed: LandedReleases, item: Manifest) -> None:
    work = landed.root.parent / f"work-{item.release}"
    work.mkdir(parents=True)
    (work / "rows.parquet").write_bytes(b"rows")
    landed.commit(item, work)


def keys(stores: Stores) -> list[str]:
    return [item.release for item in stores.landed.in_use()]


def test_a_withdrawn_release_is_in_no_build_and_keeps_its_files(stores: Stores) -> None:
    item = withdrawal.withdraw(stores, "made/deaths/2023", "Ann", "blocks every build")
    assert keys(stores) == ["2022"]
    assert stores.landed.rows_of(item).exists()
    assert [one.release for one in stores.landed.all()] == ["2022", "2023"]
    [entry] = read_records(stores.audit.path)
    assert (entry["decision"], entry["who"], entry["why"]) == ("withdrawn", "Ann", "blocks every build")
    assert entry["release_key"] == item.release_key


def test_it_comes_back_with_its_alerts(stores: Stores) -> None:
    withdrawal.withdraw(stores, "made/deaths/2023", "Ann", "wrong")
    assert stores.alerts.open() == []
    withdrawal.undo(stores, "made/deaths/2023", "Ann", "right after all")
    assert keys(stores) == ["2022", "2023"]
    assert [alert.breach.rule for alert in stores.alerts.open()] == ["late"]
    assert [entry["decision"] for entry in read_records(stores.audit.path)] == ["withdrawn", "reinstated"]


def test_where_every_real_release_is_withdrawn_the_sample_stays_out(stores: Stores) -> None:
    item = replace(next(stores.landed.all()), release="2021", sha256="s" * 64, is_synthetic=True)
    _land(stores.landed, item)
    for release in ("2022", "2023"):
        withdrawal.withdraw(stores, f"made/deaths/{release}", "Ann", "wrong")
    assert keys(stores) == []


@pytest.mark.parametrize("key", ["made/deaths", "made/deaths/2019"])
def test_a_key_that_is_not_one_release_is_an_error_that_names_them(stores: Stores, key: str) -> None:
    with pytest.raises(PerinatalError, match=r"releases in use have a key that begins with.*made/deaths/2022/2022"):
        withdrawal.withdraw(stores, key, "Ann", "wrong")
    with pytest.raises(PerinatalError, match=r"0 withdrawn releases.*there are: none"):
        withdrawal.undo(stores, "made/deaths/2022", "Ann", "wrong")
