"""Errors of the operating system, in words for people."""

import errno
import os
from pathlib import Path

import pytest

from perinatal.errors_in_words import in_words
from perinatal.home import Home


def error(number: int, path: Path | None) -> OSError:
    return OSError(number, os.strerror(number), str(path)) if path else OSError(number, os.strerror(number))


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_place_in_the_state_folder_names_the_folder_and_what_still_works(home: Home, number: int) -> None:
    line = in_words(error(number, home.archive / "ab"))
    assert line
    assert line.startswith(f"{home.archive / 'ab'}: ")
    assert f"the state folder {home.root} writable" in line
    assert ("read-only file system" in line) == (number == errno.EROFS)


def test_another_place_is_not_blamed_on_the_state_folder(home: Home) -> None:
    place = home.root.with_name(home.root.name + "-2") / "out"  # its name begins with the same letters
    assert in_words(error(errno.EACCES, place)) == (
        f"{place}: not allowed (Permission denied); choose another place, or correct its rights"
    )


def test_a_full_disk_needs_no_place() -> None:
    assert (in_words(error(errno.ENOSPC, None)) or "").startswith("no space left")


@pytest.mark.parametrize("other", [error(errno.ENOENT, Path("/x")), error(errno.EACCES, None), ValueError("x")])
def test_other_errors_are_left_to_others(home: Home, other: Exception) -> None:
    assert in_words(other) is None
