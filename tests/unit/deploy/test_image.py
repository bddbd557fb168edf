"""What the image and the wheel hold is enough: an edition is made from exactly those files, and from no others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import shipped

from perinatal.settings import PROJECT_ROOT
from perinatal.version import __version__
from pipeline import fingerprint
from tests.image import bases

IGNORE = """
# a comment
*
!docs
!LICENSE
!a/b
**/__pycache__
docs/*.json
docs/images
"""
# the checkout is on the path of this environment: without this a file missing in the image would be found there
# and so would the metadata of the package, which the image does not hold
BLIND = """
import sys
from importlib import metadata
sys.path[:] = [path for path in sys.path if path != {checkout!r}]
found = metadata.distribution

def distribution(name):
    if name == "perinatal-insights":
        raise metadata.PackageNotFoundError(name)
    return found(name)

metadata.distribution = distribution
"""
MAKE_EDITION = """
import sys
from pathlib import Path
import made_up
import perinatal
made_up.edition_folder(Path(sys.argv[1]))
print(perinatal.__file__)
"""


@pytest.mark.parametrize(
    ("name", "is_held"),
    [
        ("docs/methods.md", True),
        ("docs/queries/01.sql", True),
        ("docs/bench.json", False),
        ("docs/deep/bench.json", True),
        ("docs/images/portal.png", False),
        ("docs/__pycache__/a.pyc", False),
        ("__pycache__/a.pyc", False),
        ("a/b/c.py", True),
        ("a/c.py", False),
        ("LICENSE", True),
        ("LICENSES", False),
        ("tests/docs", False),
    ],
)
def test_the_last_line_that_matches_decides(name: str, is_held: bool) -> None:
    assert shipped.let_in([name], IGNORE) == ([name] if is_held else [])


@pytest.mark.parametrize("held", [shipped.image, shipped.wheel])
def test_every_file_that_decides_an_edition_is_shipped(held: type) -> None:
    needed = {path.relative_to(PROJECT_ROOT).as_posix() for path in fingerprint.shipped_files(PROJECT_ROOT)}
    assert needed & set(shipped.tracked()) - set(held()) == set()


def test_no_state_no_secret_and_no_test_is_in_the_image() -> None:
    folders = {name.split("/")[0] for name in shipped.image()}
    assert folders & {"tests", "var", ".env", ".git", ".ci", ".env.example"} == set()


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder that holds what the image does in /opt/perinatal."""
    folder = tmp_path_factory.mktemp("image")
    shipped.copy(shipped.image(), folder)
    return folder


@pytest.fixture
def in_image(image: Path, tmp_path: Path) -> dict[str, str]:
    """Give the environment of a process that sees the image's files and none of the checkout's."""
    seen = tmp_path / "seen"
    seen.mkdir()
    (seen / "sitecustomize.py").write_text(BLIND.format(checkout=str(shipped.REPO)))
    (seen / "made_up.py").write_text((shipped.REPO / "tests" / "support" / "made_up.py").read_text())
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PERINATAL_")}
    return {**kept, "PYTHONPATH": f"{seen}{os.pathsep}{image}", "PYTHONDONTWRITEBYTECODE": "1"}


def test_pages_packs_and_downloads_are_made_in_the_image(image: Path, in_image: dict[str, str], tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", MAKE_EDITION, str(tmp_path / "state")],
        cwd=tmp_path,
        env=in_image,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == str(image / "perinatal" / "__init__.py")
    edition = (tmp_path / "state" / "current").resolve()
    for name in ("portal/methods.html", "portal/analysts.html", "downloads/lms_indicator.csv", "downloads/lms"):
        assert (edition / name).exists(), name


def test_the_state_folder_is_prepared_in_the_image_and_saved(in_image: dict[str, str], tmp_path: Path) -> None:
    """What `init` does before any other part starts, and a backup."""
    state = in_image | {"PERINATAL_HOME": str(tmp_path / "state")}
    for command in (["pipeline.service", "state"], ["pipeline.commands.app", "backup", str(tmp_path / "saved")]):
        ran = subprocess.run([sys.executable, "-m", *command], env=state, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
    assert json.loads((tmp_path / "state" / "state.json").read_text())["program"] == __version__
    assert (tmp_path / "state" / "inbox" / "mbrrace").is_dir()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_an_edition_is_built_in_the_image(image: Path, in_image: dict[str, str], tmp_path: Path) -> None:
    state = in_image | {"PERINATAL_HOME": str(tmp_path / "state"), "PERINATAL_INBOX_QUIET_SECONDS": "0.05"}
    command = [sys.executable, "-m", "pipeline.commands.app", "refresh", "--sample", "--source", "mbrrace"]
    ran = subprocess.run(command, cwd=tmp_path, env=state, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    facts = json.loads((tmp_path / "state" / "current" / "edition.json").read_text())
    assert facts["is_synthetic"] is True
    assert (tmp_path / "state" / "current" / "portal" / "methods.html").exists()


def test_every_base_image_has_a_stand_in_for_machines_without_a_registry() -> None:
    assert {bases.short(name) for name in bases.needed()} == set(bases.STAND_INS)
