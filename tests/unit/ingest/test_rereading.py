"""A newer reader of a source reads again what an earlier one has typed."""

from collections.abc import Callable
from dataclasses import replace

import duckdb
import pytest

from ingest import registry
from ingest.archive import quarantine
from ingest.archive.manifest import LandedReleases, Manifest
from ingest.land import quarantine_decisions, rereading, withdrawal
from ingest.land.arriving_file import Acceptance
from ingest.land.landing import Outcome
from ingest.registry import Source
from ingest.stores import Stores
from perinatal.errors import RefusedAtArrival
from perinatal.home import Home

RATES = b"Code,Events,Rate\na,1,1.50\nb,2,2.50\n"
Land = Callable[..., Manifest]


@pytest.fixture
def stores(home: Home) -> Stores:
    return Stores.of(home)


@pytest.fixture
def land(land: Callable[..., Outcome]) -> Land:
    """Land rates unless other bytes are given, and give the manifest."""
    return lambda content=RATES, **known: land(content, **known).manifest


@pytest.fixture
def accepted(home: Home, stores: Stores, land: Land, demo: Source) -> None:
    """Land a file with 101 events, which a person has accepted."""
    with pytest.raises(RefusedAtArrival, match="counts-2024"):
        land(b"Code,Events,Rate\na,101,1.50\n")
    [(_, report)] = quarantine.Quarantine(home.quarantine).reports()
    quarantine_decisions.release(stores, demo, report, Acceptance("Ann", "twins"))


@pytest.fixture
def newer(demo: Source) -> Source:
    """Give the demo source with a second reader, which keeps rates as they are written."""
    return _changed(demo, "*,rate,Rate,number", "*,rate,Rate,text")


@pytest.fixture
def stricter(demo: Source) -> Source:
    """Give the demo source with a second reader, which allows no more than one event."""
    return _changed(demo, "0,100", "0,1")


def _changed(demo: Source, before: str, after: str) -> Source:
    first = demo.columns  # read before the files change
    path = demo.folder / "columns.csv"
    path.write_text(path.read_text().replace(before, after))
    about = demo.folder / "source.yml"
    about.write_text(about.read_text() + "parser_version: 2\n")
    found = registry.load(demo.folder)
    assert (first != found.columns, found.parser_version) == (True, 2)
    return found


def rates(stores: Stores) -> list[object]:
    [item] = stores.landed.in_use()
    rows = duckdb.execute("select rate from read_parquet($1) order by code", [str(stores.landed.rows_of(item))])
    return [rate for (rate,) in rows.fetchall()]


def again(stores: Stores, source: Source) -> list[str]:
    return list(rereading.reread(stores, {source.id: source}))


def test_the_newer_reading_is_in_use_as_if_it_had_arrived_when_the_first_did(
    stores: Stores, land: Land, demo: Source, newer: Source
) -> None:
    first = land(source=demo, url="https://demo.example/file", etag="x", published_on="2025-05-01")
    before = replace(first, fetched_at="2025-05-02T00:00:00+00:00")
    (stores.landed.folder_of(first) / "manifest.json").write_text(before.to_json())
    assert rates(stores) == [1.5, 2.5]
    [line] = again(stores, newer)
    assert "revised: demo counts 2024 (revision 2), 2 rows" in line
    assert "read again by version 2 of its reader" in line
    assert rates(stores) == ["1.50", "2.50"]
    [item] = stores.landed.in_use()
    same = replace(before, revision=2, parser_version=2, content_sha256=item.content_sha256, checks=item.checks)
    assert (item, item.release_key) == (same, before.release_key)
    assert again(stores, newer) == []


def test_a_reader_that_reads_the_same_says_so_in_the_manifest(stores: Stores, land: Land, demo: Source) -> None:
    first = land()
    newer = replace(demo, parser_version=2)
    assert len(again(stores, newer)) == 1
    [item] = stores.landed.in_use()
    assert (item.parser_version, item.revision) == (2, 2)
    assert item.content_sha256 == first.content_sha256
    assert again(stores, newer) == []


def test_landing_the_same_file_reads_it_again(stores: Stores, land: Land, demo: Source, newer: Source) -> None:
    first = land(source=demo)
    second = land(source=newer, url="https://elsewhere.example")
    assert (second.revision, second.parser_version, second.url) == (2, 2, first.url)
    assert second.fetched_at == first.fetched_at
    assert land(source=newer) == second


def test_an_earlier_reading_that_comes_later_stays_behind(
    home: Home, stores: Stores, land: Land, demo: Source, newer: Source
) -> None:
    """Another machine, of an earlier version of this program, may share its reading."""
    first = land(source=demo)
    again(stores, newer)
    foreign = stores.landed.folder_of(replace(first, revision=3))
    foreign.mkdir()
    foreign.joinpath("rows.parquet").write_bytes(stores.landed.rows_of(first).read_bytes())
    foreign.joinpath("manifest.json").write_text(replace(first, revision=3).to_json())
    [item] = LandedReleases(home.landed).in_use()
    assert (item.parser_version, item.revision) == (2, 2)
    assert again(stores, newer) == []


def test_what_was_replaced_is_read_again_and_stays_replaced(
    stores: Stores, land: Land, demo: Source, newer: Source
) -> None:
    first = land(source=demo, arrived_at="2025-05-02T00:00:00+00:00")
    second = land(RATES.replace(b"1.50", b"1.75"), source=demo)
    assert second.revision == 2
    lines = again(stores, newer)
    assert [line.partition(",")[0] for line in lines] == [
        "revised: demo counts 2024 (revision 3)",
        "revised: demo counts 2024 (revision 4)",
    ]
    found = {item.sha256: item for item in stores.landed.all()}
    assert {item.parser_version for item in found.values()} == {2}
    assert found[first.sha256].fetched_at == first.fetched_at
    assert stores.landed.newest("demo", "counts", "2024") == found[second.sha256]


def test_replaced_bytes_that_come_again_are_in_use_as_the_newer_reader_reads_them(
    stores: Stores, land: Land, demo: Source, newer: Source
) -> None:
    first = land(source=demo, arrived_at="2025-05-02T00:00:00+00:00")
    land(RATES.replace(b"1.50", b"1.75"), source=demo, arrived_at="2025-05-03T00:00:00+00:00")
    third = land(source=newer)
    assert (third.is_again, third.sha256, third.parser_version) == (True, first.sha256, 2)
    assert stores.landed.newest("demo", "counts", "2024") == third


def test_a_reading_that_is_refused_leaves_the_earlier_one_in_use(
    home: Home, stores: Stores, land: Land, demo: Source, stricter: Source
) -> None:
    land(source=demo)
    [line] = again(stores, stricter)
    assert "counts-2024.csv" in line
    assert rates(stores) == [1.5, 2.5]
    [(_, report)] = quarantine.Quarantine(home.quarantine).reports()
    assert [reason["rule"] for reason in report.reasons] == ["events__range"]
    assert again(stores, stricter) == []  # it waits for a person
    quarantine_decisions.release(stores, stricter, report, Acceptance("Ann", "seen with the publisher"))
    [item] = stores.landed.in_use()
    assert item.parser_version == 2


def test_a_reading_that_a_person_has_rejected_is_not_made_again(
    home: Home, stores: Stores, land: Land, demo: Source, stricter: Source
) -> None:
    land(source=demo)
    again(stores, stricter)
    [(_, report)] = quarantine.Quarantine(home.quarantine).reports()
    quarantine_decisions.reject(stores, report, "Ann", "the earlier reading is right")
    assert again(stores, stricter) == []
    [item] = stores.landed.in_use()
    assert item.parser_version == 1


@pytest.mark.usefixtures("accepted")
def test_what_a_person_has_accepted_stays_accepted(home: Home, stores: Stores, demo: Source) -> None:
    again(stores, _changed(demo, "*,rate,Rate,number", "*,rate,Rate,text"))
    [item] = stores.landed.in_use()
    assert (item.parser_version, item.rows_landed) == (2, 1)
    assert any("accepted by Ann: twins" in check["message"] for check in item.checks)
    assert list(quarantine.Quarantine(home.quarantine).reports()) == []


@pytest.mark.usefixtures("accepted")
def test_what_nobody_has_accepted_is_refused(home: Home, stores: Stores, demo: Source) -> None:
    again(stores, _changed(demo, "*,rate,Rate,number,no,yes,,,,,warn", "*,rate,Rate,number,no,yes,0,1,,,block"))
    [item] = stores.landed.in_use()
    assert item.parser_version == 1
    [(_, report)] = quarantine.Quarantine(home.quarantine).reports()
    assert [reason["rule"] for reason in report.reasons] == ["rate__range"]


def test_a_withdrawn_release_is_not_read_again(stores: Stores, land: Land, demo: Source, newer: Source) -> None:
    first = land(source=demo)
    withdrawal.withdraw(stores, first.release_key, "Ann", "wrong")
    assert again(stores, newer) == []


@pytest.mark.parametrize("damage", [b"Code,Events,Rate\na,9,1.50\n", None], ids=["damaged", "lost"])
def test_without_its_bytes_the_earlier_reading_stays(
    stores: Stores, land: Land, demo: Source, newer: Source, damage: bytes | None
) -> None:
    first = land(source=demo)
    path = stores.archive.path_of(first.sha256)
    path.chmod(0o600)
    path.unlink() if damage is None else path.write_bytes(damage)
    [line] = again(stores, newer)
    assert line == (
        "counts-2024.csv: its archived bytes are lost or damaged (`perinatal verify`), so demo counts 2024 "
        "(revision 1) stays as version 1 of its reader has read it"
    )
    assert rates(stores) == [1.5, 2.5]


def test_a_release_that_a_person_named_keeps_its_name(stores: Stores, land: Land, demo: Source, newer: Source) -> None:
    land(name="no-name.csv", source=demo, dataset="counts", release="2019")
    [line] = again(stores, newer)
    assert "demo counts 2019 (revision 2)" in line
