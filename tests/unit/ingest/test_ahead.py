"""A large clean file is typed while it is copied, and what comes of it is what a look at the whole copy gives."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import archive, decode, growing, landing
from ingest import manifest as manifests
from ingest.landing import Arrival
from ingest.registry import Source
from perinatal.errors import PerinatalError
from perinatal.home import Home

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
    with landing.archiving(home, file, Arrival(source, file.name)) as both:
        yield both


def read(
    home: Home, source: Source, file: Path, *, ahead: bool
) -> tuple[object, object, list[tuple[object, ...]]] | tuple[str, str]:
    """Decode a file as landing does: what it is, what was noticed, its rows; or why it cannot be read."""
    with archived(home, source, file) as (kept, typed), landing._workplace(home) as work:
        rows = work / "rows.parquet"
        try:
            found = landing._decode(kept.path, Arrival(source, NAME), work, rows, typed if ahead else None)
        except (decode.Unreadable, landing.files.Unusable) as error:
            return error.reason, str(error)
        return *found, duckdb.sql(f"from read_parquet('{rows}')").fetchall()


def test_a_large_file_is_typed_from_its_copy_alone(home: Home, demo: Source, tmp_path: Path, queries: Queries) -> None:
    file = put(tmp_path, TABLE)
    outcome = landing.land(home, file, Arrival(demo, NAME))
    assert [growing.ADDRESS in query for query in queries] == [True]
    assert (outcome.what, outcome.manifest.rows_landed) == ("landed", 80)
    assert archive.place(home, outcome.manifest.sha256).read_bytes() == TABLE
    rows = duckdb.sql(f"from read_parquet('{outcome.manifest.folder(home) / manifests.ROWS}')").fetchall()
    assert rows[78:] == [(79, "RAA", 1, 2.5, "x, y", None), (80, "RBB", None, -0.3, None, None)]
    assert not [*home.landed.glob(".landing-*"), *home.archive.glob(".incoming-*")]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(TABLE + b"RAA,1\n", id="a short line"),
        pytest.param(TABLE + b"RAA,5.5,x,\n", id="no numbers"),
        pytest.param(TABLE + b" ,1,inf,\n", id="blank and infinite"),
        pytest.param(TABLE + b'RAA,1,2,"a\nb"\n', id="a line break in a cell"),
        pytest.param(TABLE + "RAA,1,2,é\n".encode("cp1252"), id="another encoding"),
        pytest.param(TABLE.replace(b"\n", b"\r\n"), id="other line ends"),
        pytest.param(b"\xef\xbb\xbf" + TABLE, id="a byte order mark"),
        pytest.param(TABLE.replace(b"Code", b"Cold"), id="a column missing"),
        pytest.param(b"Code,Events\n", id="no rows"),
        pytest.param(b"PK\x03\x04", id="no table"),
    ],
)
def test_the_same_comes_of_it_as_of_the_whole_copy(home: Home, demo: Source, tmp_path: Path, content: bytes) -> None:
    file = put(tmp_path, content)
    assert read(home, demo, file, ahead=True) == read(home, demo, file, ahead=False)


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
        home, put(tmp_path, TABLE + b"RAA,7.,x5,\n"), Arrival(demo, NAME, accepted=landing.Acceptance("a", "b"))
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
    with landing.ONE_AT_A_TIME, archived(home, demo, put(tmp_path, TABLE)) as (kept, ahead):
        assert ahead is None
        assert kept.path.read_bytes() == TABLE


def test_a_copy_that_fails_lands_nothing(
    home: Home, demo: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive.os, "fsync", full)
    with pytest.raises((OSError, PerinatalError), match="No space left"):
        landing.land(home, put(tmp_path, TABLE), Arrival(demo, NAME))
    assert list(manifests.all_landed(home)) == []
    assert not [*home.landed.glob(".landing-*"), *home.archive.glob("*")]


@pytest.mark.parametrize("sizes", [[7], [1000], [5, 4000, 1, 100_000]])
def test_a_read_waits_for_its_bytes(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: list[int]
) -> None:
    monkeypatch.setattr(archive, "CHUNK", 3)  # the copy takes its time
    content = bytes(range(256)) * 20
    with closing(archive.Incoming(home, put(tmp_path, content))) as copy:
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


def test_a_person_who_gives_up_leaves_nothing(home: Home, demo: Source, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), archived(home, demo, put(tmp_path, TABLE)):
        raise KeyboardInterrupt
    assert not [*home.landed.glob(".landing-*"), *home.archive.glob(".incoming-*")]
