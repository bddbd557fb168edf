"""Files that are made or taken over: by key, size and list; linked ones survive the end of the edition before."""

import shutil
from pathlib import Path

import pytest

from perinatal.made_files import LIST, MadeFiles, Since, Standing, read

BEFORE, NOW = Since("before", "2026-11-01T00:00:00+00:00"), Since("now", "2026-11-02T00:00:00+00:00")


def write(folder: Path, now: Since, standing: Standing, texts: dict[str, str]) -> MadeFiles:
    """Write texts that name the edition since which they read so."""
    made = MadeFiles(folder, now, standing)
    for name, text in texts.items():
        made.text(name, lambda since, text=text: f"{text}, since {since.edition_id}")  # type: ignore[misc]
    made.close()
    return made


@pytest.fixture
def before(tmp_path: Path) -> Path:
    write(tmp_path / "before", BEFORE, Standing(), {"a": "A", "b/c": "C"})
    return tmp_path / "before"


def test_what_is_the_same_is_linked_and_outlives_the_edition_before(before: Path, tmp_path: Path) -> None:
    write(tmp_path / "now", NOW, Standing(before), {"a": "A", "b/c": "other"})
    assert (tmp_path / "now" / "a").samefile(before / "a")
    shutil.rmtree(before)
    assert (tmp_path / "now" / "a").read_text() == "A, since before"
    assert (tmp_path / "now" / "b/c").read_text() == "other, since now"
    assert {name: one.since for name, one in read(tmp_path / "now").items()} == {"a": BEFORE, "b/c": NOW}


def test_made_anew_it_reads_the_same(before: Path, tmp_path: Path) -> None:
    write(tmp_path / "now", NOW, Standing(before, anew=True), {"a": "A", "b/c": "C"})
    for name in ("a", "b/c", LIST):
        assert (tmp_path / "now" / name).read_bytes() == (before / name).read_bytes()
        assert not (tmp_path / "now" / name).samefile(before / name)


def test_other_code_makes_everything(before: Path, tmp_path: Path) -> None:
    made = write(tmp_path / "now", NOW, Standing(before, code="other"), {"a": "A"})
    assert made.files["a"].since == NOW


def test_a_file_that_is_gone_or_was_written_to_is_made_again(before: Path, tmp_path: Path) -> None:
    (before / "a").unlink()
    (before / "b/c").chmod(0o644)
    (before / "b/c").write_text("damaged in place")
    write(tmp_path / "now", NOW, Standing(before), {"a": "A", "b/c": "C"})
    assert (tmp_path / "now" / "a").read_text() == "A, since before"
    assert (tmp_path / "now" / "b/c").read_text() == "C, since before"


def test_nobody_may_write_to_what_is_made(before: Path) -> None:
    assert (before / "a").stat().st_mode & 0o777 == 0o444


def test_where_the_file_system_has_no_links_files_are_copied(
    before: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr("os.link", refuse)
    write(tmp_path / "now", NOW, Standing(before), {"a": "A"})
    assert (tmp_path / "now" / "a").read_bytes() == (before / "a").read_bytes()
    assert not (tmp_path / "now" / "a").samefile(before / "a")


def test_an_edition_of_an_older_program_has_no_list(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    made = write(tmp_path / "now", NOW, Standing(tmp_path / "before"), {"a": "A"})
    assert made.files["a"].since == NOW
