"""A large clean file is typed while it is copied, and what comes of it is what a look at the whole copy gives."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.archive import growing_copy as growing
from ingest.archive import manifest as manifests
from ingest.archive import store as archive
from ingest.archive.manifest import LandedReleases
from ingest.land import decode, landing, reading_plan, typed_table, unreadable
from ingest.land.arriving_file import Acceptance, Arrival
from ingest.registry import Source
from ingest.stores import Stores
from perinatal import dropped_files
from perinatal.errors import PerinatalError
from perinatal.home import Home
from perinatal.scratch import scratch_folder
from tests.unit.ingest.conftest import leftovers

TABLE = b"Code,Events,Rate,New\n" + b'RAA,1,2.5,"x, y"\nRBB,,-3e-1,\n' * 40
NAME = "counts-2024.csv"
Queries = list[str]


@pytest.fixture(autouse=True)
def all_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "LARGE", 0)


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> Queries:
    """Return the queries that have been streamed into Parquet."""
    seen: Queries = []
    streams = decode._streams
    monkeypatch.setattr(decode, "_streams", lambda *given: (seen.append(given[1]), streams(*given))[1])
    return seen


def put(folder: Path, content: bytes) -> Path:
    path = folder / NAME
    path.write_bytes(content)
    return path


@contextmanager
def archived(home: Home, source: Source, file: Path) -> Iterator[tuple[archive.Archived, decode.Ahead | None]]:
    with landing.archiving(Stores.of(home), file, Arrival(source, file.name)) as both:
        yield both


def read(
    home: Home, source: Source, file: Path, *, ahead: bool
) -> tuple[object, object, list[tuple[object, ...]]] | tuple[str, str]:
    """Decode a file as landing does: what it is, what was noticed, its rows; or why it cannot be read."""
    with archived(home, source, file) as (kept, typed), scratch_folder(home.landed, ".landing-") as work:
        rows = work / "rows.parquet"
        try:
            found = typed_table.typed_rows(kept.path, Arrival(source, NAME), work, rows, typed if ahead else None)
        except (unreadable.Unreadable, dropped_files.Unusable) as error:
            return error.reason, str(error)
        return *found, duckdb.sql(f"from read_parquet('{rows}')").fetchall()


def test_a_large_file_is_typed_from_its_copy_alone(home: Home, demo: Source, tmp_path: Path, queries: Queries) -> None:
    file = put(tmp_path, TABLE)
    outcome = landing.land(Stores.of(home), file, Arrival(demo, NAME))
    assert [growing.ADDRESS in query for query in queries] == [True]
    assert (outcome.what, outcome.manifest.rows_landed) == ("landed", 80)
    assert archive.Archive(home.archive).path_of(outcome.manifest.sha256).read_bytes() == TABLE
    rows = duckdb.sql(
        f"from read_parquet('{LandedReleases(home.landed).folder_of(outcome.manifest) / manifests.ROWS}')"
    ).fetchall()
    assert rows[78:] == [(79, "RAA", 1, 2.5, "x, y", None, None), (80, "RBB", None, -0.3, None, None, None)]
    assert leftovers(home) == []


@pytest.mark.parametrize(
    ("content", "is_typed"),
    [
        pytest.param(TABLE, True, id="clean"),
        pytest.param(TABLE + b' ,1,inf,"a\nb"\n', True, id="blank, infinite, a line break in a cell"),
        pytest.param(TABLE.replace(b"\n", b"\r\n"), True, id="other line ends"),
        pytest.param(b"\xef\xbb\xbf" + TABLE, True, id="a byte order mark"),
        pytest.param(TABLE + b"RAA,1\n", False, id="a short line"),
        pytest.param(TABLE + b"RAA,5.5,x,\n", False, id="no numbers"),
        pytest.param(TABLE + "RAA,1,2,é\n".encode("cp1252"), False, id="another encoding"),
        pytest.param(TABLE.replace(b"Code", b"Cold"), False, id="a column missing"),
        pytest.param(b"Code,Events\n", False, id="no rows"),
        pytest.param(b"PK\x03\x04", False, id="no table"),
    ],
)
def test_the_same_comes_of_it_as_of_the_whole_copy(
    home: Home, demo: Source, tmp_path: Path, content: bytes, is_typed: bool
) -> None:
    file = put(tmp_path, content)
    assert read(home, demo, file, ahead=True) == read(home, demo, file, ahead=False)
    with archived(home, demo, file) as (_, ahead):
        assert bool(ahead and ahead.rows) is is_typed


def test_a_copy_that_grows_slowly_is_read_to_its_end(
    home: Home, demo: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, queries: Queries
) -> None:
    shorter = ((typed_table, "HEAD", 20_000), (archive, "CHUNK", 1000), (reading_plan, "QUICK_LINE", 5000))
    for where, name, length in shorter:
        monkeypatch.setattr(where, name, length)
    grow = archive.Incoming._grow
    monkeypatch.setattr(archive.Incoming, "_grow", lambda *given, **more: (time.sleep(1e-4), grow(*given, **more)))
    rows = "".join(f"R{number},{number % 100},{number}.5,x\n" for number in range(70_000))
    outcome = landing.land(
        Stores.of(home), put(tmp_path, b"Code,Events,Rate,New\n" + rows.encode()), Arrival(demo, NAME)
    )
    assert [growing.ADDRESS in query for query in queries] == [True]
    found = duckdb.sql(
        f"""
        select count(*), count(*) filter (code = 'R' || (source_row - 1) and rate = source_row - 0.5)
        from read_parquet('{LandedReleases(home.landed).folder_of(outcome.manifest) / manifests.ROWS}')
        """
    ).fetchall()
    assert found == [(70_000, 70_000)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_the_same_comes_of_any_damage(home: Home, demo: Source, tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(TABLE)
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        junk = st.binary(max_size=4) | st.sampled_from([b'"', b'""', b"\0", b"\xa0", b",,,", b"\r", b"1_0", b" "])
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(junk)
    file = put(tmp_path, bytes(content))
    assert read(home, demo, file, ahead=True) == read(home, demo, file, ahead=False)


def test_what_the_quick_way_could_not_read_is_not_tried_again(
    home: Home, demo: Source, tmp_path: Path, queries: Queries
) -> None:
    landing.land(
        Stores.of(home),
        put(tmp_path, TABLE + b"RAA,7.,x5,\n"),
        Arrival(demo, NAME, accepted=Acceptance("a", "b")),
    )
    assert [growing.ADDRESS in query for query in queries] == [True]


def test_what_was_read_in_another_way_is_not_taken(home: Home, demo: Source, tmp_path: Path, queries: Queries) -> None:
    file = put(tmp_path, TABLE)
    with archived(home, demo, file) as (kept, ahead):
        assert ahead is not None
        assert ahead.rows is not None
        other = put(tmp_path, TABLE.replace(b"Events,Rate", b"Rate,Events"))
        decoded = decode.to_parquet(other, demo, "counts", tmp_path / "rows.parquet", "300MB", 0, ahead)
        assert ahead.rows.exists()
        assert kept.path.exists()
    assert str(other) in queries[-1]
    assert decoded.rows == 80


def test_while_another_file_is_being_landed_there_is_no_typing_ahead(home: Home, demo: Source, tmp_path: Path) -> None:
    with typed_table.ONE_AT_A_TIME, archived(home, demo, put(tmp_path, TABLE)) as (kept, ahead):
        assert ahead is None
        assert kept.path.read_bytes() == TABLE


def test_a_copy_that_fails_lands_nothing(
    home: Home, demo: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive.os, "fsync", full)
    with pytest.raises((OSError, PerinatalError), match="No space left"):
        landing.land(Stores.of(home), put(tmp_path, TABLE), Arrival(demo, NAME))
    assert list(manifests.LandedReleases(home.landed).all()) == []
    assert leftovers(home) == []
    assert list(home.archive.glob("*")) == []


@pytest.mark.parametrize("sizes", [[7], [1000], [5, 4000, 1, 100_000]])
def test_a_read_waits_for_its_bytes(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: list[int]
) -> None:
    monkeypatch.setattr(archive, "CHUNK", 3)  # the copy takes its time
    content = bytes(range(256)) * 20
    with archive.Archive(home.archive).incoming(put(tmp_path, content)) as copy:
        handle, found = growing.FileSystem(copy).open(growing.ADDRESS), b""
        for size in sizes * len(content):
            piece = bytes(handle.read(size))
            assert len(piece) == min(size, len(content) - len(found))
            found += piece
            if not piece:
                break
        handle.seek(0)
        assert bytes(handle.read(4)) == content[:4]
        handle.close()
    assert found == content


def test_threads_that_read_at_once_do_not_disturb_each_other(home: Home, tmp_path: Path) -> None:
    content = b"".join(number.to_bytes(4, "big") for number in range(50_000))
    with archive.Archive(home.archive).incoming(put(tmp_path, content)) as copy:
        handle = growing.FileSystem(copy).open(growing.ADDRESS)

        def reads(first: int) -> list[bool]:
            right = []
            for place in range(first, len(content), 1300):
                handle.seek(place)
                right.append(bytes(handle.read(1000)) == content[place : place + 1000])
            return right

        with ThreadPoolExecutor(8) as pool:
            assert all(all(right) for right in pool.map(reads, range(0, 1200, 7)))
        handle.close()


def test_a_size_that_was_wrong_is_told(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stale(handle: int) -> SimpleNamespace:
        found = fstat(handle)
        return SimpleNamespace(st_mode=found.st_mode, st_mtime_ns=found.st_mtime_ns, st_size=found.st_size - 1)

    fstat = archive.os.fstat
    monkeypatch.setattr(archive.os, "fstat", stale)
    with pytest.raises(PerinatalError, match="changed while it was being read"):
        archive.Archive(home.archive).put(put(tmp_path, TABLE))


def test_what_goes_wrong_unforeseen_comes_after_the_bytes_are_kept(
    home: Home, demo: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(typed_table, "identify", wrong)
    with pytest.raises(ZeroDivisionError):
        landing.land(Stores.of(home), put(tmp_path, TABLE), Arrival(demo, NAME))
    assert [path.read_bytes() for path in home.archive.glob("??/*")] == [TABLE]
    assert leftovers(home) == []


def test_a_person_who_gives_up_leaves_nothing(
    home: Home, demo: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up(*_: object) -> int:
        raise KeyboardInterrupt

    file = put(tmp_path, TABLE)
    monkeypatch.setattr(growing.os, "preadv", give_up)
    with pytest.raises(KeyboardInterrupt):
        landing.land(Stores.of(home), file, Arrival(demo, NAME))
    assert leftovers(home) == []
    assert list(home.archive.rglob("*")) == []
