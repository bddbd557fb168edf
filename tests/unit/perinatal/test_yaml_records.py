"""YAML read into records: what is wrong is named with file, field and what was expected."""

from pathlib import Path
from typing import Literal

import pytest

from perinatal.errors import PerinatalError
from perinatal.yaml_records import Record, read_record, read_records


class Kept(Record):
    name: str
    colour: Literal["red", "blue"] = "red"
    sizes: tuple[int, ...] = ()


def written(folder: Path, text: str) -> Path:
    path = folder / "kept.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_one_record_or_a_list(tmp_path: Path) -> None:
    one = read_record(written(tmp_path, "name: a\nsizes: [1, 2]"), Kept)
    assert one == Kept(name="a", sizes=(1, 2))
    assert read_record(written(tmp_path, "colour: blue"), Kept, name="b").colour == "blue"
    assert read_records(written(tmp_path, "- name: a\n- name: b"), Kept) == (Kept(name="a"), Kept(name="b"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("colour: blue", "name is missing"),
        ("name: a\ncolor: blue", "color is not a field of this file"),
        ("name: a\ncolour: green", "colour 'green': expected 'red' or 'blue'"),
        ("name: a\nsizes: [1, x]", "sizes.1 'x': expected a valid integer"),
        ("name: [a", "expected ',' or ']'"),
        ("- name: a", "expected fields and values"),
        ("", "expected fields and values"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, says: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(PerinatalError) as error:
        read_record(path, Kept)
    assert str(error.value).startswith(f"{path}: ")
    assert says in str(error.value)


def test_a_wrong_item_of_a_list_is_named_by_its_number(tmp_path: Path) -> None:
    with pytest.raises(PerinatalError, match=r"kept\.yml: 2\.name is missing"):
        read_records(written(tmp_path, "- name: a\n- colour: red"), Kept)
    with pytest.raises(PerinatalError, match="expected a list"):
        read_records(written(tmp_path, "name: a"), Kept)


def test_a_record_cannot_be_changed(tmp_path: Path) -> None:
    record = read_record(written(tmp_path, "name: a"), Kept)
    with pytest.raises(ValueError, match="frozen"):
        record.name = "b"
