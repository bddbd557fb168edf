"""YAML and JSON files as typed records: what does not fit is named by file, entry and field."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from perinatal.errors import PerinatalError
from perinatal.records import Record, read_json
from perinatal.yaml_records import DEPTH_LIMIT, read_yaml


class Trust(Record):
    """A made-up record."""

    id: str
    beds: int
    since: date | None = None


@dataclass(frozen=True)
class Site:
    """A made-up record that is a plain dataclass."""

    name: str


def wrong(path: Path, text: str, kind: type = list[Trust]) -> str:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PerinatalError) as caught:
        read_yaml(path, kind)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{path}: ")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trusts.yml"


def test_records_are_typed(path: Path) -> None:
    path.write_text("- {id: RXX, beds: 12, since: 2025-06-01}\n- {id: RYY, beds: 3}\n", encoding="utf-8")
    assert read_yaml(path, list[Trust]) == [
        Trust(id="RXX", beds=12, since=date(2025, 6, 1)),
        Trust(id="RYY", beds=3),
    ]


def test_one_record_model_or_dataclass(path: Path) -> None:
    path.write_text("id: RXX\nbeds: 12\n", encoding="utf-8-sig")
    assert read_yaml(path, Trust).beds == 12
    path.write_text("name: North\n", encoding="utf-8")
    assert read_yaml(path, Site) == Site("North")


def test_an_empty_list_is_a_list_and_an_empty_record_is_an_error(path: Path) -> None:
    path.write_text("# none yet\n", encoding="utf-8")
    assert read_yaml(path, list[Trust]) == []
    assert wrong(path, "", Trust)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {id: RXX, beds: 12}\n- {id: RYY}", "entry 2 (RYY): field beds: is missing"),
        ("- {id: RXX, beds: many}", "entry 1 (RXX): field beds: Input should be a valid integer"),
        ("- {id: RXX, beds: 1, bed: 2}", "field bed: is not a known field; there are: id, beds, since"),
        ("- {beds: 12}\n- {}", "entry 1: field id: is missing (and 2 more)"),
        ("id: RXX", "Input should be a valid list"),
        ("- id: RXX\n  beds: [", "line 2"),
        ("- id: RXX\n  beds: 1\n  beds: 2", "line 3: the key beds stands twice"),
        ("- id: RXX\n  since: 2025-02-30", "day is out of range"),
        ("- &one {id: RXX, beds: 12}\n", "line 1: aliases and anchors"),
        ("- id: *one\n", "aliases and anchors"),
        ("- id: !!python/object:os.system x\n", "line 1: could not determine a constructor"),
        ("[" * (DEPTH_LIMIT + 1) + "]" * (DEPTH_LIMIT + 1), "levels deep"),
        ("- id: RXX\n--- \n- id: RYY\n", "but found another document"),
    ],
)
def test_what_does_not_fit_is_named(path: Path, text: str, said: str) -> None:
    assert said in wrong(path, text)


def test_a_small_note_that_would_grow_to_gigabytes_is_refused(path: Path) -> None:
    levels = [f"l{n}: &l{n} [{', '.join(['*l' + str(n - 1)] * 9)}]" for n in range(1, 10)]
    text = "\n".join(['l0: &l0 ["lol"]', *levels])
    assert len(text) < 600
    assert wrong(path, text) == "line 1: aliases and anchors (* and &) are not allowed; write the value out"


def test_a_file_that_is_too_large_or_not_utf8_is_refused(path: Path) -> None:
    path.write_bytes(b"- {id: RXX, beds: 12}\n- {id: R\xe9, beds: 1}\n")
    with pytest.raises(PerinatalError, match="line 2: is not UTF-8"):
        read_yaml(path, list[Trust])
    with pytest.raises(PerinatalError, match="larger than 10 bytes"):
        read_yaml(path, list[Trust], limit=10)


def test_messages_can_call_the_file_by_another_name(path: Path) -> None:
    path.write_text("beds: 1", encoding="utf-8")
    with pytest.raises(PerinatalError, match=r"^note\.yml: field id: is missing$"):
        read_yaml(path, Trust, name="note.yml")


def test_json_too(path: Path) -> None:
    path.write_text('{"id": "RXX", "beds": 12}', encoding="utf-8")
    assert read_json(path, Trust) == Trust(id="RXX", beds=12)
    path.write_text('{"id": "RXX"', encoding="utf-8")
    with pytest.raises(PerinatalError, match="Invalid JSON"):
        read_json(path, Trust)
