"""A made-up edition, written once: its folder with file, pages, packs."""

from pathlib import Path

import made_up
import pytest


@pytest.fixture(scope="session")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a state folder whose current edition is made up. Read-only."""
    home = tmp_path_factory.mktemp("made up")
    made_up.edition_folder(home)
    return home


@pytest.fixture(scope="session")
def made(made_home: Path) -> Path:
    """Give the folder of the made-up edition. Read-only."""
    return (made_home / "current").resolve()
