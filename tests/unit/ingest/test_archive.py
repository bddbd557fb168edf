"""Bytes are kept for ever under the hash of their content."""

import hashlib
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from ingest.archive import store as archive
from perinatal.errors import PerinatalError
from perinatal.home import Home


def files_of(home: Home) -> list[Path]:
    return [path for path in home.archive.rglob("*") if path.is_file()]


def test_a_file_is_kept_under_its_hash(home: Home, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"x" * 3_000_000)
    kept = archive.Archive(home.archive).put(tmp_path / "a.csv")
    assert kept.sha256 == hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert kept.path == home.archive / kept.sha256[:2] / kept.sha256
    assert kept.bytes == 3_000_000
    assert kept.path.read_bytes() == (tmp_path / "a.csv").read_bytes()
    assert not kept.path.stat().st_mode & 0o222


def test_the_same_bytes_are_kept_once(home: Home, tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes(b"same")
    first, second = (
        archive.Archive(home.archive).put(tmp_path / "a.csv"),
        archive.Archive(home.archive).put(tmp_path / "b.csv"),
    )
    assert first == second
    assert files_of(home) == [first.path]


def test_an_empty_file_is_bytes_too(home: Home, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert archive.Archive(home.archive).put(tmp_path / "empty").bytes == 0


def test_a_file_that_grows_while_it_is_read_is_refused_and_leaves_nothing(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "growing.csv"
    path.write_bytes(b"x" * 100_000_000)
    done = threading.Event()

    def grow() -> None:
        with path.open("ab", buffering=0) as out:
            while not done.wait(0.0005):
                out.write(b"y")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        with pytest.raises(PerinatalError, match=r"growing\.csv: changed while it was being read"):
            archive.Archive(home.archive).put(path)
    finally:
        done.set()
        writer.join()
    assert files_of(home) == []


def test_a_missing_file_leaves_nothing(home: Home, tmp_path: Path) -> None:
    with pytest.raises((OSError, PerinatalError)):
        archive.Archive(home.archive).put(tmp_path / "absent.csv")
    assert files_of(home) == []


def test_a_download_is_moved_in(home: Home) -> None:
    home.archive.mkdir(parents=True)
    temporary = home.archive / ".incoming-x"
    temporary.write_bytes(b"bytes")
    kept = archive.Archive(home.archive).adopt(temporary, hashlib.sha256(b"bytes").hexdigest(), 5)
    assert files_of(home) == [kept.path]


def test_damage_is_found_and_healed_by_the_same_file(home: Home, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(name.encode())
    kept, _ = archive.Archive(home.archive).put(tmp_path / "a"), archive.Archive(home.archive).put(tmp_path / "b")
    assert list(archive.Archive(home.archive).damaged()) == []
    kept.path.chmod(0o644)
    kept.path.write_bytes(b"A")
    assert [line.split(":")[0] for line in archive.Archive(home.archive).damaged()] == [str(kept.path)]
    assert archive.Archive(home.archive).put(tmp_path / "a") == kept
    assert list(archive.Archive(home.archive).damaged()) == []


def test_a_size_that_was_wrong_is_told(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stale(handle: int) -> SimpleNamespace:
        found = fstat(handle)
        return SimpleNamespace(st_mode=found.st_mode, st_mtime_ns=found.st_mtime_ns, st_size=found.st_size - 1)

    (tmp_path / "a.csv").write_bytes(b"bytes")
    fstat = archive.os.fstat
    monkeypatch.setattr(archive.os, "fstat", stale)
    with pytest.raises(PerinatalError, match="changed while it was being read"):
        archive.Archive(home.archive).put(tmp_path / "a.csv")


@pytest.mark.parametrize("reason", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_copy_that_fails_leaves_nothing(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: BaseException
) -> None:
    def fail(*_: object) -> int:
        raise reason

    (tmp_path / "a.csv").write_bytes(b"bytes")
    monkeypatch.setattr(archive.os, "fsync", fail)
    with pytest.raises(type(reason)):
        archive.Archive(home.archive).put(tmp_path / "a.csv")
    assert list(home.archive.rglob("*")) == []
