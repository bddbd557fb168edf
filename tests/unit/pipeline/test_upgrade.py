"""The version of the state folder: fresh, of an earlier program, of a newer one."""

import json
from collections.abc import Callable

import pytest

from expectations.alerts import AlertLog, Breach, Scope
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
    assert json.loads((home.root / "state.json").read_text())["version"] == 1
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
