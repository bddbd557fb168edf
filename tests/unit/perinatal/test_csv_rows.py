"""Rows of people's CSV files, and errors that say where and what to do."""

import csv
from pathlib import Path

import pytest

from perinatal.csv_rows import read_rows
from perinatal.errors import PerinatalError


def test_rows_come_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text('code,note\nC01,"two\nlines"\n\nC02,one\n', encoding="utf-8-sig")
    rows = list(read_rows(path, ("code",)))
    assert rows == [(3, {"code": "C01", "note": "two\nlines"}), (5, {"code": "C02", "note": "one"})]


def test_a_table_read_in_part_changes_nothing_for_other_readers(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text("code\nC01\nC02\n", encoding="utf-8")
    before = csv.field_size_limit()
    rows = read_rows(path, ("code",))
    next(rows)
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"name\nx\n", "row 1: column code is missing (found: name)"),
        (b"", "row 1: column code is missing (found: nothing)"),
        (b"code\nC01,more\n", "line 2: 2 cells where the header has 1"),
        (b"code\n" + b"x" * 200_000 + b"\n", "line 2: not readable as CSV"),
        (b'code\n"never closed\n', "not readable as CSV"),
        ("code\né\n".encode("latin-1"), "line 2: not UTF-8"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_place(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "codes.csv"
    path.write_bytes(content)
    with pytest.raises(PerinatalError) as error:
        list(read_rows(path, ("code",)))
    assert str(path) in str(error.value)
    assert says in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PerinatalError, match="cannot be read"):
        list(read_rows(tmp_path / "absent.csv", ("code",)))
