"""Several machines and one shared store, on a real S3 server on loopback: nothing is lost, halved or mixed."""

import hashlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import s3fs
from moto.server import ThreadedMotoServer

from ingest.archive import manifest as manifests
from ingest.archive import synthetic, verification
from ingest.archive.manifest import LandedReleases
from ingest.archive.store import Archive
from perinatal import settings
from perinatal.errors import Damaged, PerinatalError
from perinatal.home import Home
from pipeline import shared_store as storage
from publish import edition
from publish.edition import Editions

YEARS = range(2019, 2024)
NAME = "perinatal-mortality-rates-{}-trusthealth-board.csv"
URL = "s3://shared/perinatal"
Shell = Callable[..., object]

# a machine that dies when it has uploaded bytes and rows, and has not yet said so
DIES = """
import os, signal
from perinatal import home
from pipeline import shared_store as storage
storage.Store.put_json = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
storage.exchange(home.get())
"""
SHARES = "from perinatal import home; from pipeline import shared_store as storage; print(storage.exchange(home.get()))"


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[s3fs.S3FileSystem]:
    """Give an empty bucket, which the settings name; yields the file system to look into it."""
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in {**keys, "AWS_ENDPOINT_URL": s3_server, "PERINATAL_STORAGE_URL": URL}.items():
        monkeypatch.setenv(name, value)
    settings.get.cache_clear()
    system = s3fs.S3FileSystem(use_listings_cache=False, skip_instance_cache=True)
    system.mkdir("shared")
    yield system
    system.rm("shared", recursive=True)


@pytest.fixture
def machines(tmp_path: Path) -> list[Home]:
    return [Home(tmp_path / name) for name in ("Ann's état", "b", "c")]


@pytest.fixture
def files(mbrrace_sample: Path) -> list[Path]:
    return [path for year in YEARS if (path := mbrrace_sample / NAME.format(year)).exists()]


@pytest.fixture
def mended(files: list[Path], edited: Callable[..., Path], tmp_path: Path) -> Path:
    """Give another version of the first file: one birth more, under the same name."""

    def one_birth_more(table: list[dict[str, str]]) -> None:
        name = next(name for name in table[0] if "births" in name.lower())
        table[0][name] = str(int(table[0][name].replace(",", "")) + 1)

    return edited(files[0], tmp_path / "mended" / files[0].name, one_birth_more)


def keys(home: Home) -> list[str]:
    return sorted(item.release_key for item in manifests.LandedReleases(home.landed).all())


def rows(home: Home) -> dict[str, str]:
    return {
        item.release_key: hashlib.sha256(
            (LandedReleases(home.landed).folder_of(item) / manifests.ROWS).read_bytes()
        ).hexdigest()
        for item in manifests.LandedReleases(home.landed).all()
    }


def assert_whole(home: Home) -> None:
    assert list(verification.damage(Archive(home.archive), LandedReleases(home.landed))) == []
    assert not list(home.landed.glob(".landing-*"))


def test_without_a_store_nothing_happens(home: Home) -> None:
    assert storage.exchange(home) == storage.Exchanged(0, 0)
    assert storage.share_edition(home) is None
    assert not home.root.exists()


def test_what_one_machine_lands_another_has_byte_for_byte(
    bucket: s3fs.S3FileSystem, machines: list[Home], files: list[Path], landed: Callable[..., object]
) -> None:
    first, second, _ = machines
    synthetic.SyntheticHashes(first.synthetic).mark([hashlib.sha256(file.read_bytes()).hexdigest() for file in files])
    landed(first, *files[:2])
    assert storage.exchange(first) == storage.Exchanged(2, 0)
    assert storage.exchange(second) == storage.Exchanged(0, 2)
    assert rows(second) == rows(first)
    assert [item.is_synthetic for item in manifests.LandedReleases(second.landed).all()] == [True, True]
    assert synthetic.SyntheticHashes(second.synthetic).known() == {
        item.sha256 for item in manifests.LandedReleases(second.landed).all()
    }
    assert storage.exchange(first) == storage.exchange(second) == storage.Exchanged(0, 0)
    assert_whole(second)


def test_two_versions_of_one_release_are_both_kept_everywhere(
    bucket: s3fs.S3FileSystem,
    machines: list[Home],
    files: list[Path],
    landed: Callable[..., object],
    mended: Path,
) -> None:
    first, second, _ = machines
    landed(first, files[0])
    landed(second, mended)
    for home in (first, second, first):
        storage.exchange(home)
    assert len(keys(first)) == 2
    assert keys(first) == keys(second)
    assert [item.revision for item in manifests.LandedReleases(first.landed).all()] == [1, 2]
    assert_whole(first)
    assert_whole(second)


def test_a_file_that_came_again_is_in_use_on_every_machine(
    bucket: s3fs.S3FileSystem,
    machines: list[Home],
    files: list[Path],
    landed: Callable[..., object],
    mended: Path,
) -> None:
    first, second, third = machines
    landed(first, files[0])
    landed(first, mended)
    assert [storage.exchange(home).down for home in (first, second)] == [0, 2]
    landed(first, files[0])
    for home in (first, second, third):
        storage.exchange(home)
    in_use = {LandedReleases(home.landed).newest(*release_of(home)).release_key for home in machines}  # type: ignore[union-attr]
    assert in_use == {LandedReleases(first.landed).revisions(*release_of(first))[-1].release_key}
    assert [storage.exchange(home) for home in machines] == [storage.Exchanged(0, 0)] * 3


def release_of(home: Home) -> tuple[str, str, str]:
    item = next(LandedReleases(home.landed).all())
    return item.source_id, item.dataset, item.release


@pytest.mark.slow
def test_two_writers_at_once_lose_nothing(
    bucket: s3fs.S3FileSystem, machines: list[Home], files: list[Path], landed: Callable[..., object], shell: Shell
) -> None:
    first, second, reader = machines
    landed(first, *files[:3])
    landed(second, *files[1:4])  # two of them are the same
    both = [shell(at=home, code=SHARES, PERINATAL_STORAGE_URL=URL) for home in (first, second)]
    ends = [(process.communicate(timeout=120), process.returncode) for process in both]
    assert [code for _, code in ends] == [0, 0], ends
    for home in (first, second, reader):
        storage.exchange(home)
    assert len(keys(reader)) == 4
    assert keys(first) == keys(second) == keys(reader)
    assert_whole(reader)


@pytest.mark.slow
def test_a_machine_that_dies_while_sharing_shows_nothing_half(
    bucket: s3fs.S3FileSystem, machines: list[Home], files: list[Path], landed: Callable[..., object], shell: Shell
) -> None:
    first, second, _ = machines
    landed(first, files[0])
    dead = shell(at=first, code=DIES, PERINATAL_STORAGE_URL=URL)
    dead.communicate(timeout=120)
    assert dead.returncode == -signal.SIGKILL
    assert bucket.find("shared/perinatal/rows")
    assert storage.exchange(second) == storage.Exchanged(0, 0)
    assert storage.exchange(first) == storage.Exchanged(1, 0)
    assert storage.exchange(second) == storage.Exchanged(0, 1)
    assert_whole(second)


@pytest.mark.parametrize("kind", ["archive", "rows"])
def test_what_was_damaged_in_the_store_is_not_landed(
    bucket: s3fs.S3FileSystem, machines: list[Home], files: list[Path], landed: Callable[..., object], kind: str
) -> None:
    first, second, _ = machines
    landed(first, files[0])
    storage.exchange(first)
    [damaged] = bucket.find(f"shared/perinatal/{kind}")
    whole = bucket.cat_file(damaged)
    bucket.pipe_file(damaged, whole[:-1] + bytes([whole[-1] ^ 1]))
    [problem] = storage.exchange(second).problems
    assert f"/{kind}/" in problem
    assert keys(second) == []
    assert_whole(second)
    bucket.rm(damaged)
    bucket.rm(bucket.find("shared/perinatal/landed"))  # as the message says: shared again
    storage.exchange(first)
    assert storage.exchange(second) == storage.Exchanged(0, 1)


def test_half_an_upload_is_made_whole(
    bucket: s3fs.S3FileSystem, machines: list[Home], files: list[Path], landed: Callable[..., object]
) -> None:
    first, second, _ = machines
    [outcome] = landed(first, files[0])  # type: ignore[misc]
    sha256 = outcome.manifest.sha256
    bucket.pipe_file(f"shared/perinatal/archive/{sha256[:2]}/{sha256}", b"half")
    storage.exchange(first)
    assert storage.exchange(second) == storage.Exchanged(0, 1)


def test_a_store_that_does_not_answer_is_one_clear_error_and_the_landing_stays(
    bucket: s3fs.S3FileSystem,
    machines: list[Home],
    files: list[Path],
    landed: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    landed(machines[0], files[0])
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(PerinatalError, match=r"cannot be used .*shared by the next run"):
        storage.exchange(machines[0])
    assert len(keys(machines[0])) == 1


def id_of(text: str) -> str:
    return f"20260101T00000{text}-0000000{text}"


def make_edition(home: Home, text: str) -> Path:
    """Publish a small edition by the real swap."""
    run = home.build / text
    (run / "downloads" / "lms").mkdir(parents=True)
    (run / "restricted").mkdir()
    (run / edition.DATABASE).write_text(text)
    (run / "downloads" / "lms" / "Ann's état.csv").write_text(text)
    (run / "restricted" / "board.duckdb").write_text(text)
    contents = {name: run / name for name in (edition.DATABASE, "downloads", "restricted")}
    return Editions.of(home).publish(run, contents, {"fingerprint": text, "edition_id": id_of(text)})


def test_a_reading_machine_takes_the_newest_edition_whole(bucket: s3fs.S3FileSystem, machines: list[Home]) -> None:
    builder, reader, _ = machines
    for text in ("1", "2"):
        make_edition(builder, text)
        assert storage.share_edition(builder) == id_of(text)
    assert storage.share_edition(builder) is None
    assert storage.take_edition(reader) == id_of("2")
    assert (reader.database).read_text() == "2"
    assert (reader.current / "downloads" / "lms" / "Ann's état.csv").read_text() == "2"
    assert oct((reader.current / "restricted").stat().st_mode & 0o777) == "0o700"
    assert oct((reader.current / "restricted" / "board.duckdb").stat().st_mode & 0o777) == "0o600"
    assert Editions.of(reader).unpublished() == []
    assert storage.take_edition(reader) is None


def test_an_edition_that_is_not_complete_or_was_damaged_is_not_taken(
    bucket: s3fs.S3FileSystem, machines: list[Home]
) -> None:
    builder, reader, _ = machines
    make_edition(builder, "1")
    storage.share_edition(builder)
    storage.take_edition(reader)
    bucket.pipe_file(f"shared/perinatal/editions/{id_of('9')}/perinatal.duckdb", b"half an edition")
    assert storage.take_edition(reader) is None
    make_edition(builder, "2")
    storage.share_edition(builder)
    bucket.pipe_file(f"shared/perinatal/editions/{id_of('2')}/perinatal.duckdb", b"other")
    with pytest.raises(Damaged):
        storage.take_edition(reader)
    assert reader.database.read_text() == "1"
    assert not list(reader.build.glob("*"))


def test_the_commands_share_and_take(
    bucket: s3fs.S3FileSystem,
    machines: list[Home],
    files: list[Path],
    landed: Callable[..., object],
    cli: Callable[..., object],
) -> None:
    landed(machines[0], files[0])
    make_edition(machines[0], "1")
    shared = cli("storage", "sync", at=machines[0])
    assert shared.out == "1 release(s) shared, 0 landed from the store; edition shared: 20260101T000001-00000001\n"  # type: ignore[attr-defined]
    taken = cli("storage", "take", at=machines[1])
    assert taken.out == "current edition: 20260101T000001-00000001\n"  # type: ignore[attr-defined]


def test_the_commands_ask_for_the_setting(home: Home, cli: Callable[..., object]) -> None:
    ran = cli("storage", "sync")
    assert (ran.code, "PERINATAL_STORAGE_URL is not set" in ran.err) == (1, True)  # type: ignore[attr-defined]
    assert "PERINATAL_STORAGE_URL" not in os.environ
