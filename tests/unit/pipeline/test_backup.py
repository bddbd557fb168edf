"""Backup and restore: what is kept, that it is whole, and what is refused. No edition is built here."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from expectations.alerts import AlertLog, Breach, Scope
from ingest.archive.manifest import LandedReleases
from perinatal import state_version
from perinatal.errors import Damaged, PerinatalError
from perinatal.home import Home
from pipeline import backup

NAME = "perinatal-mortality-rates-2023-trusthealth-board.csv"


@pytest.fixture(scope="module")
def one_landed(mbrrace_sample: Path, landed: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Give a state folder with a landed release. Read-only."""
    made = Home(tmp_path_factory.mktemp("landed") / "home")
    landed(made, min(mbrrace_sample.glob("*-2022-*.csv")))
    return made


@pytest.fixture
def kept(home: Home, one_landed: Home) -> Home:
    """Give a state folder with a landed release, an accepted alert, a decision and a file in the inbox."""
    shutil.copytree(one_landed.root, home.root)
    log = AlertLog(home.alerts)
    log.reconcile(Scope.of("release"), [Breach("a_rule", "warn", "what is wrong")])
    log.accept(log.open()[0], "A Person", "known", date(2999, 1, 1))
    home.theme_decisions.parent.mkdir(parents=True)
    home.theme_decisions.write_text("finding_id,theme_id\n")
    (home.inbox / "msds").mkdir(parents=True)
    (home.inbox / "msds" / "file.csv").write_text("a\n")
    (home.cache).mkdir()
    (home.cache / "made again.txt").write_text("x")
    state_version.write(home.root)
    return home


def files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def test_everything_that_cannot_be_made_again_comes_back(kept: Home, tmp_path: Path) -> None:
    saved = backup.backup(kept, tmp_path / "backups")
    other = Home(tmp_path / "other")
    backup.restore(other, saved.folder)
    expected = {name: content for name, content in files(kept.root).items() if not name.startswith("cache/")}
    assert files(other.root) == expected
    assert [item.title for item in LandedReleases(other.landed).in_use()] == [
        item.title for item in LandedReleases(kept.landed).in_use()
    ]
    assert [alert.state for alert in AlertLog(other.alerts).all()] == ["accepted"]
    assert not (other.root / backup.RESTORING).exists()


def test_the_next_backup_links_what_has_not_changed(kept: Home, tmp_path: Path) -> None:
    first = backup.backup(kept, tmp_path / "backups")
    first.folder.rename(first.folder.with_name("perinatal-20200101T000000"))
    (kept.inbox / "msds" / "file.csv").write_text("b\n")
    second = backup.backup(kept, tmp_path / "backups")
    assert (first.linked, second.linked) == (0, second.files - 1)
    archived = next(name for name in files(second.folder) if name.startswith("archive/"))
    assert (second.folder / archived).stat().st_nlink == 2
    assert [path.name for path in backup.backups(tmp_path / "backups")] == [
        "perinatal-20200101T000000",
        second.folder.name,
    ]
    assert (tmp_path / "backups" / "perinatal-20200101T000000" / "inbox" / "msds" / "file.csv").read_text() == "a\n"


def test_a_file_that_went_bad_in_the_last_backup_is_copied_anew(kept: Home, tmp_path: Path) -> None:
    first = backup.backup(kept, tmp_path / "backups")
    first.folder.rename(earlier := first.folder.with_name("perinatal-20200101T000000"))
    victim = next(path for path in earlier.rglob("rows.parquet"))
    whole = victim.read_bytes()
    victim.write_bytes(whole[:-1] + b"?")
    second = backup.backup(kept, tmp_path / "backups")
    assert second.linked == second.files - 1
    backup.restore(Home(tmp_path / "other"), second.folder)
    assert (tmp_path / "other" / victim.relative_to(earlier)).read_bytes() == whole


def test_what_only_its_owner_may_read_stays_so(kept: Home, tmp_path: Path) -> None:
    archived = next(kept.archive.glob("??/*"))
    archived.chmod(0o400)
    folder = next(kept.landed.glob("*/*/*/r1"))
    folder.chmod(0o700)
    saved = backup.backup(kept, tmp_path / "backups")
    assert saved.folder.stat().st_mode & 0o077 == 0
    other = Home(tmp_path / "other")
    backup.restore(other, saved.folder)
    assert (other.root / archived.relative_to(kept.root)).stat().st_mode & 0o777 == 0o400
    assert (other.root / folder.relative_to(kept.root)).stat().st_mode & 0o777 == 0o700


def test_a_damaged_backup_restores_nothing(kept: Home, tmp_path: Path) -> None:
    saved = backup.backup(kept, tmp_path / "backups")
    victim = next(path for path in saved.folder.rglob("rows.parquet"))
    victim.write_bytes(victim.read_bytes()[:-1])
    other = Home(tmp_path / "other")
    with pytest.raises(Damaged, match=r"1 file\(s\) are missing or differ .*rows.parquet; nothing was restored"):
        backup.restore(other, saved.folder)
    assert files(other.root) == {}


def test_a_restore_that_was_cut_off_goes_on(kept: Home, tmp_path: Path) -> None:
    saved = backup.backup(kept, tmp_path / "backups")
    other = Home(tmp_path / "other")
    other.root.mkdir()
    (other.root / backup.RESTORING).touch()
    (other.root / "alerts").mkdir()
    (other.root / "alerts" / "alerts.jsonl").write_text("half a li")
    backup.restore(other, saved.folder)
    assert [alert.state for alert in AlertLog(other.alerts).all()] == ["accepted"]


def test_what_cannot_be_done_says_why(kept: Home, tmp_path: Path) -> None:
    with pytest.raises(PerinatalError, match="choose a folder elsewhere"):
        backup.backup(kept, kept.root / "backups")
    with pytest.raises(PerinatalError, match="there is nothing to back up"):
        backup.backup(Home(tmp_path / "nowhere"), tmp_path / "backups")
    saved = backup.backup(kept, tmp_path / "backups")
    with pytest.raises(PerinatalError, match="is not empty: restore into a new folder"):
        backup.restore(kept, saved.folder)
    with pytest.raises(PerinatalError, match=f"it holds the backups {saved.folder.name}: name one"):
        backup.restore(Home(tmp_path / "other"), tmp_path / "backups")


def test_a_backup_of_a_newer_program_is_refused(kept: Home, tmp_path: Path) -> None:
    saved = backup.backup(kept, tmp_path / "backups")
    (saved.folder / "state.json").write_text(json.dumps({"version": state_version.VERSION + 1}))
    with pytest.raises(PerinatalError, match="use the newer version of the program"):
        backup.restore(Home(tmp_path / "other"), saved.folder)
