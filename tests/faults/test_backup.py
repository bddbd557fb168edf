"""Backup, another folder, restore: the same edition, table by table. And an upgrade from the last release's state."""

import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from expectations.alerts import AlertLog
from ingest.archive.manifest import LandedReleases
from perinatal.home import Home
from pipeline import backup
from publish.contents import content_hashes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

REPO = Path(__file__).resolve().parents[2]
LAST_RELEASE = "5251083"  # whose assembly was one task, and which wrote no state.json
OPEN_ALERT = """
from expectations.alerts import AlertLog, Breach, Scope
from perinatal import home
scope = Scope.of("operations", "assemble", "build")
AlertLog(home.get().alerts).reconcile(scope, [Breach("task_failed", "block", "x")])
"""


def test_an_edition_that_is_built_from_a_backup_is_the_same(
    copied: Home, tmp_path: Path, cli: Callable[..., object]
) -> None:
    before = content_hashes(copied.database)
    saved = cli("backup", tmp_path / "backups", at=copied)
    assert saved.code == 0, saved.err
    folder = saved.out.split(": ")[0]
    other = Home(tmp_path / "another folder")
    restored = cli("restore", folder, at=other)
    assert restored.code == 0, restored.err
    assert f"{len(before)} table(s) hold what they held in {copied.current.resolve().name}" in restored.out
    assert content_hashes(other.database) == before
    assert cli("verify", at=other).code == 0
    # the comparison can fail
    record = backup.read(Path(folder))
    record.content["marts.trust_indicator"] = "0" * 64
    assert backup.differing(record, other.database) == ["marts.trust_indicator"]


@pytest.fixture
def old_program(tmp_path: Path) -> Path:
    """Give the last release's own code, or skip where the history does not reach back to it."""
    packed = subprocess.run(["git", "archive", LAST_RELEASE], cwd=REPO, capture_output=True, check=False)
    if packed.returncode:
        pytest.skip(f"commit {LAST_RELEASE} is not in the history of this clone")
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as archive:
        archive.extractall(tmp_path / "old", filter="data")
    return tmp_path / "old"


def test_state_of_the_last_release_is_taken_over(
    home: Home, old_program: Path, mbrrace_sample: Path, shell: Callable[..., object], cli: Callable[..., object]
) -> None:
    """Landed and alerted by its own code, then used by this one."""
    file = min(mbrrace_sample.glob("*-2022-*.csv"))
    for arguments in (
        ["-m", "pipeline.commands.app", "land", str(file), "--source", "mbrrace"],
        ["-c", OPEN_ALERT],
    ):
        environment = {"PERINATAL_HOME": str(home.root), "PYTHONPATH": str(old_program), "PATH": "/usr/bin:/bin"}
        done = subprocess.run(
            [sys.executable, *arguments], cwd=old_program, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert not (home.root / "state.json").exists()
    manifests = {path: path.read_bytes() for path in LandedReleases(home.landed).manifest_files()}
    assert len(manifests) == 1

    taken = cli("land", max(mbrrace_sample.glob("*-2022-*.csv")), "--source", "mbrrace")
    assert taken.code == 0, taken.err
    assert "state folder brought to version 1" in taken.err
    assert json.loads((home.root / "state.json").read_text())["version"] == 1
    assert AlertLog(home.alerts).open() == []
    assert all(path.read_bytes() == content for path, content in manifests.items())
    assert len(LandedReleases(home.landed).in_use()) == 2
