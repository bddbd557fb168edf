"""Refused files are kept with their reasons until a person decides."""

from pathlib import Path

import pytest

from ingest.archive import quarantine
from ingest.archive import store as archive
from ingest.archive.quarantine import Report
from perinatal.errors import PerinatalError
from perinatal.home import Home


def refuse(home: Home, tmp_path: Path, name: str = "bad.csv", content: bytes = b"bad") -> tuple[Path, Report]:
    (tmp_path / "incoming").write_bytes(content)
    kept = archive.Archive(home.archive).put(tmp_path / "incoming")
    report = Report(
        "demo",
        kept.sha256,
        name,
        None,
        None,
        "2026-01-01T00:00:00+00:00",
        False,
        [{"rule": "missing_column", "message": "line 1: …", "count": 1}],
    )
    return quarantine.Quarantine(home.quarantine).put(kept.path, report), report


@pytest.mark.parametrize(
    "name", ["bad.csv", "../../escape.csv", "report.json", "a b’s.csv", ".hidden", "", "..", "x" * 300]
)
def test_file_and_report_stand_together_whatever_the_name(home: Home, tmp_path: Path, name: str) -> None:
    folder, report = refuse(home, tmp_path, name)
    assert folder == home.quarantine / "demo" / report.sha256
    kept = [path for path in folder.iterdir() if path.name != quarantine.REPORT]
    assert [path.read_bytes() for path in kept] == [b"bad"]
    assert list(quarantine.Quarantine(home.quarantine).reports()) == [(folder, report)]


def test_the_same_file_refused_again_is_one_entry_with_the_newest_reasons(home: Home, tmp_path: Path) -> None:
    folder, _ = refuse(home, tmp_path)
    again, _ = refuse(home, tmp_path)
    assert folder == again
    assert len(list(quarantine.Quarantine(home.quarantine).reports())) == 1


def test_mending_the_kept_file_in_place_leaves_the_archive_alone(home: Home, tmp_path: Path) -> None:
    folder, _ = refuse(home, tmp_path)
    kept = folder / "bad.csv"
    kept.chmod(0o644)
    kept.write_bytes(b"mended")
    assert list(archive.Archive(home.archive).damaged()) == []


def test_a_file_is_found_by_the_start_of_its_hash(home: Home, tmp_path: Path) -> None:
    folder, report = refuse(home, tmp_path)
    refuse(home, tmp_path, "other.csv", b"other")
    assert quarantine.Quarantine(home.quarantine).find(report.sha256[:12]) == (folder, report)
    with pytest.raises(PerinatalError, match="0 quarantined files have a sha256 that starts with 'zz'"):
        quarantine.Quarantine(home.quarantine).find("zz")
    with pytest.raises(PerinatalError, match="2 quarantined files"):
        quarantine.Quarantine(home.quarantine).find("")


def test_a_landed_file_leaves_quarantine(home: Home, tmp_path: Path) -> None:
    _, report = refuse(home, tmp_path)
    quarantine.Quarantine(home.quarantine).remove("demo", report.sha256)
    quarantine.Quarantine(home.quarantine).remove("demo", report.sha256)
    assert list(quarantine.Quarantine(home.quarantine).reports()) == []
    assert archive.Archive(home.archive).path_of(report.sha256).exists()


def test_a_damaged_report_is_named(home: Home, tmp_path: Path) -> None:
    folder, _ = refuse(home, tmp_path)
    (folder / quarantine.REPORT).write_text("{")
    with pytest.raises(PerinatalError, match="not a quarantine report"):
        list(quarantine.Quarantine(home.quarantine).reports())
