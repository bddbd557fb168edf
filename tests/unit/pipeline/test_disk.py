"""The guard of the disk: how much a build needs, and what is said where that is not there."""

import json
import shutil
import threading

import pytest

from perinatal import settings
from perinatal.errors import PerinatalError
from perinatal.home import Home
from pipeline import disk
from publish import edition
from publish.edition import Editions

TOO_MUCH = 10**16


def publish(home: Home, build: int, landed: int) -> None:
    folder = home.editions / "20261128T020000-bbbbbbbb"
    folder.mkdir(parents=True)
    (folder / edition.INFO).write_text(json.dumps({"bytes": {"build": build, "landed": landed}}))
    Editions.of(home).point_current(folder)


def land(home: Home, size: int) -> None:
    folder = home.landed / "msds" / "annual" / "2024" / "r1"
    folder.mkdir(parents=True)
    (folder / "rows.parquet").write_bytes(bytes(size))


def test_a_file_that_editions_share_counts_once(home: Home) -> None:
    for name in ("one", "two"):
        (home.editions / name).mkdir(parents=True)
    (home.editions / "one" / "page").write_bytes(bytes(1000))
    (home.editions / "two" / "page").hardlink_to(home.editions / "one" / "page")
    (home.editions / "two" / "other").write_bytes(bytes(10))
    assert disk.bytes_of(home.editions / "one", home.editions / "two") == 1010


def test_what_goes_while_it_is_counted_takes_nothing(home: Home) -> None:
    land(home, 7)
    passing = home.landed / "msds" / ".landing-1"
    stop = threading.Event()

    def come_and_go() -> None:
        while not stop.is_set():
            passing.mkdir()
            (passing / "rows").touch()
            shutil.rmtree(passing)

    other = threading.Thread(target=come_and_go)
    other.start()
    try:
        assert {disk.bytes_of(home.landed) for _ in range(3000)} == {7}
    finally:
        stop.set()
        other.join()


def test_before_the_first_edition_it_goes_by_what_is_landed(home: Home) -> None:
    assert disk.needed(home) == disk.LEAST
    land(home, 1000)
    assert disk.needed(home) == disk.LEAST + 1000 * disk.TIMES_LANDED


def test_after_that_by_what_the_last_build_took_and_what_was_added(home: Home) -> None:
    land(home, 3000)
    publish(home, build=500_000, landed=1000)
    assert disk.needed(home) == 500_000 * 3 * disk.MARGIN


def test_an_edition_of_an_earlier_version_does_not_say_what_it_took(home: Home) -> None:
    folder = home.editions / "20261128T020000-bbbbbbbb"
    folder.mkdir(parents=True)
    (folder / edition.INFO).write_text("{}")
    Editions.of(home).point_current(folder)
    assert disk.needed(home) == disk.LEAST


def test_a_build_that_would_not_fit_says_what_it_needs_and_how_to_free_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk.require_room(home)
    publish(home, build=TOO_MUCH, landed=1)
    with pytest.raises(PerinatalError) as refused:
        disk.require_room(home)
    said = str(refused.value)
    assert "no room for a build: it needs about 12,000,000.0 GB" in said
    for remedy in ("1 take", "PERINATAL_KEEP_EDITIONS", str(home.cache), "PERINATAL_HOME", "PERINATAL_DISK_GUARD"):
        assert remedy in said
    monkeypatch.setenv("PERINATAL_DISK_GUARD", "false")
    settings.get.cache_clear()
    disk.require_room(home)
