"""What a kill has left is removed; what is in use, or was just made, stays."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from perinatal import scratch

KEEPS_ONE = """
import sys, time
from pathlib import Path
from perinatal.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1]), ".landing-") as folder:
    (folder / "rows").write_text("some")
    print(folder, flush=True)
    time.sleep(600)
"""


def old(path: Path) -> None:
    hour_ago = time.time() - 3600
    os.utime(path, (hour_ago, hour_ago))


def test_a_folder_in_use_stays_and_what_a_kill_leaves_goes(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", KEEPS_ONE, tmp_path], stdout=subprocess.PIPE, text=True) as other:
        folder = Path(other.stdout.readline().strip())
        old(folder)
        scratch.remove_abandoned(tmp_path, ".landing-")
        assert folder.exists()
        other.kill()
    scratch.remove_abandoned(tmp_path, ".landing-")
    assert not folder.exists()


def test_what_was_just_made_stays(tmp_path: Path) -> None:
    (tmp_path / ".incoming-1").write_text("on its way")
    scratch.remove_abandoned(tmp_path, ".incoming-")
    assert (tmp_path / ".incoming-1").exists()
    old(tmp_path / ".incoming-1")
    scratch.remove_abandoned(tmp_path, ".incoming-")
    assert not (tmp_path / ".incoming-1").exists()


def test_a_folder_goes_at_the_end_or_becomes_what_it_was_made_for(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="stop"), scratch.scratch_folder(tmp_path, ".x-") as folder:
        raise ValueError("stop")
    assert not folder.exists()
    with scratch.scratch_folder(tmp_path, ".x-") as folder:
        (folder / "rows").write_text("some")
        folder.rename(tmp_path / "kept")
    assert (tmp_path / "kept" / "rows").read_text() == "some"
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
