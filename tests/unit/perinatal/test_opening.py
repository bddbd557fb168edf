"""Files of candidates and editions are opened with a build's share of memory, and nowhere without."""

import re
from pathlib import Path

import duckdb
import pytest

from perinatal import settings
from perinatal.opening import open_database
from perinatal.settings import PROJECT_ROOT

BUILDS = ("warehouse", "expectations", "insights", "publish", "pipeline")
WITHOUT = re.compile(r"duckdb\.connect\((?!\)|config=)")
MEASURING = "pipeline/bench/"  # a reader's own connection is what it measures


@pytest.mark.parametrize("read_only", [True, False])
def test_a_file_is_opened_with_the_share_of_memory_that_is_set(
    read_only: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "candidate.duckdb"
    duckdb.connect(str(path)).close()
    monkeypatch.setenv("PERINATAL_MEMORY_LIMIT", "256MiB")
    settings.get.cache_clear()
    with open_database(path, read_only=read_only) as connection:
        assert connection.execute("select current_setting('memory_limit')").fetchall() == [("256.0 MiB",)]


def test_a_file_that_this_process_has_open_already_can_be_opened(tmp_path: Path) -> None:
    path = tmp_path / "edition.duckdb"
    duckdb.connect(str(path)).close()
    with duckdb.connect(str(path), read_only=True), open_database(path, read_only=True) as connection:
        assert connection.execute("select 1").fetchall() == [(1,)]


def test_no_step_of_a_build_opens_a_file_without_it() -> None:
    found = [
        f"{path.relative_to(PROJECT_ROOT)}: {line.strip()}"
        for room in BUILDS
        for path in sorted((PROJECT_ROOT / room).rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if WITHOUT.search(line) and MEASURING not in path.as_posix()
    ]
    assert found == []
