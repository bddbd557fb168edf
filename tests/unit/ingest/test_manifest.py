"""Manifests say what was landed; a damaged one is named."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from ingest.archive import manifest as manifests
from ingest.archive.manifest import LandedReleases, Manifest
from perinatal.durable import write_atomically
from perinatal.errors import PerinatalError
from perinatal.home import Home

BASE = Manifest(
    source_id="demo",
    dataset="counts",
    layout="counts",
    release="2024",
    revision=1,
    status="final",
    sha256="ab" * 32,
    content_sha256="cd" * 32,
    bytes=10,
    original_name="counts-2024.csv",
    url=None,
    etag=None,
    published_on=None,
    fetched_at="2026-01-01T00:00:00+00:00",
    publisher="Nobody",
    licence="none",
    audience="public",
    is_synthetic=False,
    parser_version=1,
    rows_in=1,
    rows_landed=1,
    rows_quarantined=0,
    header=["source_row"],
)


@pytest.fixture
def keep(home: Home) -> Callable[..., Manifest]:
    """Put a manifest where a landed revision has it."""

    def write(**changes: object) -> Manifest:
        item = replace(BASE, **changes)  # type: ignore[arg-type]
        LandedReleases(home.landed).folder_of(item).mkdir(parents=True)
        (LandedReleases(home.landed).folder_of(item) / manifests.MANIFEST).write_text(item.to_json())
        return item

    return write


def test_a_manifest_is_read_as_written(home: Home, keep: Callable[..., Manifest]) -> None:
    item = keep(original_name="Größe’s counts.csv", checks=[{"rule": "x"}])
    assert manifests.read(LandedReleases(home.landed).folder_of(item) / manifests.MANIFEST) == item


def test_a_manifest_that_was_replaced_is_read_again(home: Home, keep: Callable[..., Manifest]) -> None:
    item, landed = keep(original_name="first.csv"), LandedReleases(home.landed)
    assert list(landed.history()) == [item]
    other = replace(item, original_name="other.csv")
    write_atomically(landed.folder_of(item) / manifests.MANIFEST, other.to_json())
    assert list(landed.history()) == landed.revisions(item.source_id, item.dataset, item.release) == [other]


def test_the_release_key_depends_on_the_bytes_not_on_the_order_of_landing() -> None:
    assert BASE.release_key == "demo/counts/2024/abababababab"
    assert replace(BASE, revision=7, fetched_at="2027-01-01T00:00:00+00:00").release_key == BASE.release_key


def test_revisions_are_in_the_order_of_landing(home: Home, keep: Callable[..., Manifest]) -> None:
    for number in (10, 2, 1):
        keep(revision=number, sha256=f"{number:064x}")
    keep(release="2025")
    assert [item.revision for item in manifests.LandedReleases(home.landed).revisions("demo", "counts", "2024")] == [
        1,
        2,
        10,
    ]
    assert manifests.LandedReleases(home.landed).revisions("demo", "counts", "1999") == []


def test_of_the_same_bytes_the_last_revision_alone_is_read(home: Home, keep: Callable[..., Manifest]) -> None:
    keep(revision=1)
    keep(revision=2, sha256="c" * 64)
    keep(revision=3, is_again=True)
    landed = LandedReleases(home.landed)
    assert [item.revision for item in landed.revisions("demo", "counts", "2024")] == [2, 3]
    assert sorted(item.revision for item in landed.all()) == [2, 3]
    assert len(landed.in_use()) == len({item.release_key for item in landed.in_use()})
    assert [item.revision for item in landed.history()] == [1, 2, 3]


def test_a_folder_without_manifest_is_not_landed(home: Home, keep: Callable[..., Manifest]) -> None:
    keep()
    (home.landed / "demo" / "counts" / "2024" / "r2").mkdir()
    (home.landed / ".landing-x").mkdir()
    (home.landed / ".landing-x" / manifests.MANIFEST).write_text("{}")
    assert [item.revision for item in manifests.LandedReleases(home.landed).all()] == [1]


def test_real_releases_put_the_sample_out_of_use(home: Home, keep: Callable[..., Manifest]) -> None:
    sample = keep(is_synthetic=True)
    assert manifests.LandedReleases(home.landed).in_use() == [sample]
    real = keep(revision=2)
    assert manifests.LandedReleases(home.landed).in_use() == [real]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", json.dumps({"source_id": "x"}), '{"more": 1}'])
def test_a_damaged_manifest_is_named_with_what_to_do(home: Home, keep: Callable[..., Manifest], text: str) -> None:
    path = LandedReleases(home.landed).folder_of(keep()) / manifests.MANIFEST
    path.write_text(text)
    with pytest.raises(PerinatalError) as error:
        list(manifests.LandedReleases(home.landed).all())
    assert str(error.value).startswith(f"{path}: ")
    assert ": not a manifest; " in str(error.value)
    assert f"remove the folder {path.parent} and land the file again" in str(error.value)
