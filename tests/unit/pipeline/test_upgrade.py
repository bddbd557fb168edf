"""The version of the state folder: fresh, of an earlier program, of a newer one."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from expectations.alerts import QUARANTINE_REMEDY, AlertLog, Breach, Scope
from ingest.archive.quarantine import Report
from ingest.stores import Stores
from perinatal import home as homes
from perinatal import state_version
from perinatal.errors import PerinatalError
from perinatal.home import Home
from pipeline import steps, upgrade

OLD_TASK = Scope.of("operations", "assemble", "build")


def test_a_fresh_folder_gets_its_version_without_a_note(home: Home) -> None:
    assert upgrade.prepare(home) == []
    assert state_version.read(home.root) == state_version.VERSION


def test_state_of_the_last_release_is_brought_to_this_one_once(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    log = AlertLog(home.alerts)
    log.reconcile(OLD_TASK, [Breach("task_failed", "block", "no space left")])
    log.reconcile(Scope.of("release"), [Breach("a_rule", "warn", "what is wrong")])
    steps.land_inbox(home)
    said = capsys.readouterr().err
    assert (
        "state folder brought to version 1: Airflow's task assemble/build is now six tasks; its open alert is" in said
    )
    assert [str(alert.scope) for alert in log.open()] == ["release"]
    assert json.loads((home.root / "state.json").read_text())["version"] == state_version.VERSION
    assert upgrade.prepare(home) == []


@pytest.mark.parametrize("command", [("status",), ("build",), ("alerts",), ("fetch",), ("backup", "elsewhere")])
def test_an_older_program_refuses_a_newer_state(home: Home, cli: Callable[..., object], command: tuple[str]) -> None:
    home.root.mkdir()
    state_version.write(home.root, state_version.VERSION + 1)
    before = {path.name: path.read_bytes() for path in home.root.iterdir()}
    done = cli(*command)
    assert done.code == 1
    assert f"has state of version {state_version.VERSION + 1}, this program knows {state_version.VERSION}" in done.err
    assert {path.name: path.read_bytes() for path in home.root.iterdir()} == before


def test_a_version_that_cannot_be_read_is_no_old_one(home: Home) -> None:
    home.root.mkdir()
    (home.root / "state.json").write_text("{")
    with pytest.raises(PerinatalError, match=r"state\.json cannot be read"):
        homes.get()


QUOTING = "line 1: was taken for the header (RCF, Jane Smith, 4 columns)"


def refused_by_an_earlier_program(home: Home, source_id: str, message: str) -> Scope:
    """Put an alert into the log as it was before version 2."""
    scope = Scope.of("arrival", source_id, "return.csv")
    breach = Breach("not_recognised", "block", message, remedy=QUARANTINE_REMEDY)
    AlertLog(home.alerts).reconcile(scope, [breach])
    return scope


def test_alerts_of_version_1_no_longer_quote_cells_also_closed_ones(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    log = AlertLog(home.alerts)
    for source_id in ("board_return", "pmrt", "a_source_that_is_gone"):
        refused_by_an_earlier_program(home, source_id, QUOTING)
    log.reconcile(refused_by_an_earlier_program(home, "hsib", QUOTING), [])
    refused_by_an_earlier_program(home, "nmpa", "line 1: was taken for the header (note)")
    judged = Breach("value__range", "block", "3 of 9 rows", affected_marts=["marts.trust_indicator"])
    log.reconcile(Scope.of("arrival", "board_return", "rcf", "2026-09"), [judged])
    with log.path.open("a") as out:
        out.write('{"event": "opened", "breach": "Jane Smi')  # cut off by a kill
    before = {alert.key: (alert.state, alert.times_seen, alert.breach.count) for alert in log.all()}
    state_version.write(home.root, 1)
    upgrade.prepare(home)
    assert "4 entries of the alert log no longer quote cells" in capsys.readouterr().err
    assert "Jane" not in log.path.read_text()
    assert {alert.key: (alert.state, alert.times_seen, alert.breach.count) for alert in log.all()} == before
    messages = {alert.scope.parts[:2]: alert.breach.message for alert in log.all()}
    assert messages["board_return", "return.csv"].startswith("the file did not meet the rule not_recognised;")
    assert messages["nmpa", "return.csv"] == "line 1: was taken for the header (note)"
    assert messages["board_return", "rcf"] == "3 of 9 rows"
    assert upgrade.prepare(home) == []


def test_files_of_version_1_are_closed_unless_they_are_landed_for_all(
    home: Home, mbrrace_sample: Path, landed: Callable[..., object], tmp_path: Path
) -> None:
    landed(home, min(mbrrace_sample.glob("*-2022-*.csv")))
    stores = Stores.of(home)
    [for_all] = stores.archive.files()
    (tmp_path / "return.csv").write_text("RCF,Jane Smith")
    refused = stores.archive.put(tmp_path / "return.csv")
    reasons = [{"rule": "not_recognised", "message": QUOTING, "count": 1}]
    report = Report("board_return", refused.sha256, "return.csv", None, None, "2026-11-01", False, reasons)
    stores.quarantine.put(refused.path, report)
    refused.path.chmod(0o444)
    for path in (home.quarantine, *home.quarantine.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    state_version.write(home.root, 1)
    [note] = upgrade.prepare(home)
    assert "and so are 1 archived files" in note
    assert [path.stat().st_mode & 0o777 for path in (for_all, refused.path)] == [0o444, 0o400]
    modes = {(path.is_dir(), path.stat().st_mode & 0o777) for path in (home.quarantine, *home.quarantine.rglob("*"))}
    assert modes == {(True, 0o700), (False, 0o600)}


def test_a_manifest_that_cannot_be_read_keeps_its_file_closed_and_stops_no_upgrade(
    home: Home, mbrrace_sample: Path, landed: Callable[..., object]
) -> None:
    landed(home, min(mbrrace_sample.glob("*-2022-*.csv")))
    stores = Stores.of(home)
    [manifest], [archived] = stores.landed.manifest_files(), stores.archive.files()
    manifest.write_text("{")
    state_version.write(home.root, 1)
    upgrade.prepare(home)
    assert archived.stat().st_mode & 0o777 == 0o400
