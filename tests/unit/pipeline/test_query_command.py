"""`perinatal query` as people use it: pasted with its comment, from a file, from standard input, into a spreadsheet."""

import csv
import io
import json
from pathlib import Path

import made_up
import pytest

from perinatal.home import Home
from perinatal.settings import PROJECT_ROOT

QUERIES = sorted((PROJECT_ROOT / "docs" / "queries").glob("*.sql"))


@pytest.fixture(scope="module")
def edition(tmp_path_factory: pytest.TempPathFactory) -> Home:
    root = tmp_path_factory.mktemp("home")
    folder = root / "editions" / str(made_up.FACTS["edition_id"])
    folder.mkdir(parents=True)
    made_up.make().write(folder / "perinatal.duckdb")
    (folder / "edition.json").write_text(json.dumps(made_up.FACTS))
    (root / "current").symlink_to(Path("editions") / folder.name)
    return Home(root)


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_an_example_query_runs_when_it_is_pasted(cli, edition: Home, path: Path) -> None:  # type: ignore[no-untyped-def]
    pasted = cli("query", path.read_text(encoding="utf-8"), "--format", "json", at=edition)
    assert (pasted.code, pasted.err) == (0, "")
    read = cli("query", "-f", path, "--format", "json", at=edition)
    assert json.loads(read.out) == json.loads(pasted.out)


def test_a_leading_comment_is_sql(cli, edition: Home) -> None:  # type: ignore[no-untyped-def]
    for sql in ("-- what = this\nselect 1 as n", "--no space\nselect 1 as n", "/* block */ select 1 as n"):
        assert json.loads(cli("query", sql, "--format", "json", at=edition).out) == [{"n": 1}]


def test_sql_may_come_from_standard_input(cli, edition: Home, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("sys.stdin", io.StringIO("-- asked\nselect 2 as n"))
    assert json.loads(cli("query", "-", "--format", "json", at=edition).out) == [{"n": 2}]


def test_a_file_that_is_not_there_is_one_clear_line(cli, edition: Home, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    ran = cli("query", "-f", tmp_path / "no.sql", at=edition)
    assert ran.code == 1
    assert "no.sql cannot be read" in ran.err
    assert "Traceback" not in ran.err


def test_no_cell_of_the_csv_is_run_by_a_spreadsheet(cli, edition: Home) -> None:  # type: ignore[no-untyped-def]
    sql = """select says, ['=1', 'b'] as words, -1.5 as number, '\t=1' as tab, '@x' as "=head"
        from reference.usage_warning where usage_warning = 'publisher_note'"""
    head, row = csv.reader(io.StringIO(cli("query", sql, "--format", "csv", at=edition).out))
    assert head == ["says", "words", "number", "tab", "'=head"]
    assert row == [f"'{made_up.FORMULA}", "'=1; b", "-1.5", "'\t=1", "'@x"]
