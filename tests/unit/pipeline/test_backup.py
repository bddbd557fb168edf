"""Backup and restore: what is kept, that it is whole, and what is refused. No edition is built here."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from expectations.alerts import AlertLog, Breach, Scope
from ingest.archive.manifest import LandedReleases
from perinatal import state_version
from perinatal.durable import locked
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
    assert not other.restoring.exists()


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
    other.restoring.touch()
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


@contextmanager
def half_done(kept: Home, into: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Future[backup.Saved]]:
    """Run a backup that has copied its files and waits; it ends after the block."""
    reached, goes_on, of_the_edition = threading.Event(), threading.Event(), backup._edition

    def waiting(home: Home) -> Any:
        if not reached.is_set():
            reached.set()
            goes_on.wait(60)
        return of_the_edition(home)

    monkeypatch.setattr(backup, "_edition", waiting)
    with ThreadPoolExecutor(1) as other:
        running = other.submit(backup.backup, kept, into)
        try:
            assert reached.wait(60)
            yield running
        finally:
            goes_on.set()


def test_a_second_backup_at_once_is_refused_and_the_first_is_whole(
    kept: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    into = tmp_path / "backups"
    with (
        half_done(kept, into, monkeypatch) as running,
        pytest.raises(PerinatalError, match=r"another backup into .*backups is running: run this one again"),
    ):
        backup.backup(kept, into)
    saved = running.result()
    assert backup.backups(into) == [saved.folder]
    assert saved.folder.stat().st_mode & 0o777 == 0o700
    backup.restore(Home(tmp_path / "other"), saved.folder)


def test_what_a_killed_backup_has_left_is_removed(kept: Home, tmp_path: Path) -> None:
    left = tmp_path / "backups" / f"{backup.UNFINISHED}20200101T000000-1"
    (left / "inbox").mkdir(parents=True)
    saved = backup.backup(kept, tmp_path / "backups")
    assert {path.name for path in (tmp_path / "backups").iterdir()} == {saved.folder.name, backup.LOCK}


def test_a_file_that_goes_meanwhile_is_left_out(kept: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused, save = kept.quarantine / "msds" / "report.json", backup._save
    refused.parent.mkdir(parents=True)
    refused.write_text("{}")

    def as_it_is_released(path: Path, *more: Any) -> Any:
        if path == refused:
            shutil.rmtree(refused.parent)
        return save(path, *more)

    monkeypatch.setattr(backup, "_save", as_it_is_released)
    saved = backup.backup(kept, tmp_path / "backups")
    assert saved.files > 0
    assert "quarantine/msds/report.json" not in backup.read(saved.folder).files
    assert not (saved.folder / "quarantine").exists()
    backup.restore(Home(tmp_path / "other"), saved.folder)


@pytest.mark.parametrize("when", ["_save", "_edition"])
def test_a_backup_whose_copy_is_removed_meanwhile_is_none(
    kept: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    into, do = tmp_path / "backups", getattr(backup, when)

    def after_a_removal(*arguments: Any) -> Any:
        for made in into.glob(f"{backup.UNFINISHED}*"):
            shutil.rmtree(made)
        return do(*arguments)

    monkeypatch.setattr(backup, when, after_a_removal)
    with pytest.raises(PerinatalError, match=r"removed while it was made.*[Rr]un the backup again"):
        backup.backup(kept, into)
    assert backup.backups(into) == []
    assert not list(into.rglob("rows.parquet"))


def test_a_damaged_backup_leaves_room_for_another(kept: Home, tmp_path: Path) -> None:
    damaged = backup.backup(kept, tmp_path / "backups")
    damaged.folder.rename(earlier := damaged.folder.with_name("perinatal-20200101T000000"))
    whole = backup.backup(kept, tmp_path / "backups")
    (earlier / "inbox" / "msds" / "file.csv").unlink()
    other = Home(tmp_path / "other")
    with pytest.raises(Damaged):
        backup.restore(other, earlier)
    backup.restore(other, whole.folder)
    assert files(other.root).keys() == backup.read(whole.folder).files.keys()


def test_a_restore_goes_on_with_its_own_backup_and_one_at_a_time(kept: Home, tmp_path: Path) -> None:
    saved = backup.backup(kept, tmp_path / "backups")
    other = Home(tmp_path / "other")
    other.root.mkdir()
    other.restoring.write_text("perinatal-20200101T000000")
    with pytest.raises(PerinatalError, match="holds part of perinatal-20200101T000000: restore that one"):
        backup.restore(other, saved.folder)
    other.restoring.write_text(saved.folder.name)
    with (
        locked(other.root / backup.RESTORE_LOCK),
        pytest.raises(PerinatalError, match=r"another restore into .*other is running: wait until it has ended"),
    ):
        backup.restore(other, saved.folder)
    backup.restore(other, saved.folder)
    assert not other.restoring.exists()


COMMANDS = (
    ("refresh", "--sample"),
    ("fetch", "--live"),
    ("land", "README.md", "--source", "mbrrace"),
    ("build",),
    ("build", "--force"),
    ("up",),
    ("verify",),
    ("notify",),
    ("status",),
    ("alerts",),
    ("query", "select 1"),
    ("quarantine", "list"),
    ("sources", "seen", "mbrrace", "--why", "seen"),
    ("withdraw", "mbrrace/perinatal_mortality/2022", "--why", "wrong"),
    ("backup", "elsewhere"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_other_command_refuses_a_half_restored_folder(
    one_landed: Home, home: Home, cli: Callable[..., Any], command: tuple[str, ...]
) -> None:
    shutil.copytree(one_landed.root, home.root)
    home.restoring.write_text("perinatal-20260101T000000")
    before = files(home.root)
    ran = cli(*command)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1)
    assert "holds only part of the backup perinatal-20260101T000000" in ran.err
    assert "run `perinatal restore` with that backup again" in ran.err
    assert files(home.root) == before


def test_a_restore_that_was_cut_off_in_its_first_file_goes_on(
    kept: Home, tmp_path: Path, cli: Callable[..., Any]
) -> None:
    saved = backup.backup(kept, tmp_path / "backups")
    other = Home(tmp_path / "other")
    other.root.mkdir()
    other.restoring.write_text(saved.folder.name)
    (other.root / state_version.FILE).write_text("{")
    ran = cli("restore", saved.folder, at=other)
    assert ran.code == 0, ran.err
    assert cli("status", at=other).code == 0
