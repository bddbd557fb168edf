"""Editions are swapped under readers: never an error, never a mixture; a kill before the swap changes nothing."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from perinatal.home import Home
from perinatal.reading import open_current
from publish import edition
from publish.edition import Editions

EDITIONS = 6  # that each reader sees before it ends

# opens the current edition through the project's own reader, and (where editions are kept for a while) by the link's
# name, as anybody would: DuckDB looks up the link first and opens the file then
READER = f"""
import sys
import duckdb
from perinatal import home as homes
from perinatal.reading import open_current

home, seen = homes.get(), set()
while len(seen) < {EDITIONS}:
    for named in (False, True) if sys.argv[1] == "5" else (False,):
        file = str(home.current / "perinatal.duckdb")
        with duckdb.connect(file, read_only=True) if named else open_current(home)[1] as connection:
            numbers = set()
            for table in ("first", "second"):
                numbers |= set(connection.execute(f"select distinct n from marts.{{table}}").fetchall())
        assert len(numbers) == 1, f"a mixture of editions: {{numbers}}"
        seen |= numbers
"""

# publishes a candidate, and dies between the edition's folder and the swap
KILLED = """
import os, signal, sys
from pathlib import Path
from perinatal import home as homes
from publish import edition
from publish.edition import Editions

Editions.point_current = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
home = homes.get()
run = home.build / "killed"
facts = {"fingerprint": "killed" * 8, "is_synthetic": False}
Editions.of(home).publish(run, {edition.DATABASE: run / "candidate"}, facts)
"""


def candidate(home: Home, number: int) -> Path:
    """Write a candidate whose two tables hold one number each, many times."""
    folder = home.build / (str(number) if number >= 0 else "killed")
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "candidate")) as connection:
        connection.execute("create schema marts")
        for table in ("first", "second"):
            connection.execute(f"create table marts.{table} as select {number} as n from range(50000)")
    return folder


def publish(home: Home, number: int) -> Path:
    folder = candidate(home, number)
    facts = {"fingerprint": f"{number:08}" * 8, "is_synthetic": False}
    return Editions.of(home).publish(folder, {edition.DATABASE: folder / "candidate"}, facts)


@pytest.mark.parametrize("keep", [1, 5])
def test_readers_see_whole_editions_while_they_are_swapped(home: Home, shell: Callable[..., object], keep: int) -> None:
    publish(home, 0)
    readers = [shell(keep, code=READER, at=home) for _ in range(2)]
    number = 0
    while any(reader.poll() is None for reader in readers):
        number += 1
        publish(home, number)
        Editions.of(home).prune(keep)
    for reader in readers:
        _, err = reader.communicate(timeout=60)
        assert reader.returncode == 0, err
    assert number >= EDITIONS - 1
    assert len(list(home.editions.iterdir())) <= keep


def test_a_reader_keeps_the_edition_it_has_opened(home: Home) -> None:
    publish(home, 1)
    with open_current(home)[1] as connection:
        publish(home, 2)
        Editions.of(home).prune(1)
        assert connection.execute("select distinct n from marts.first").fetchall() == [(1,)]
    with open_current(home)[1] as connection:
        assert connection.execute("select distinct n from marts.first").fetchall() == [(2,)]


def test_a_kill_just_before_the_swap_leaves_the_last_edition(home: Home, shell: Callable[..., object]) -> None:
    last = publish(home, 1)
    candidate(home, -1)
    killed = shell(code=KILLED, at=home)
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert Editions.of(home).current() == last
    [left] = [path for path in home.editions.iterdir() if path != last]
    assert Editions.of(home).unpublished() == [left]
    made = publish(home, 2)
    assert Editions.of(home).current() == made
    assert Editions.of(home).unpublished() == [left]


def test_a_kill_just_after_the_swap_leaves_an_edition_like_others(home: Home) -> None:
    made = publish(home, 1)
    (made / edition.UNPUBLISHED).touch()  # the swap was done, its mark not yet gone
    Editions.of(home).remove_unpublished()
    later = publish(home, 2)
    Editions.of(home).remove_unpublished()
    assert [path.name for path in sorted(home.editions.iterdir())] == [made.name, later.name]


def test_published_editions_are_never_taken_for_unpublished(home: Home) -> None:
    first, second = publish(home, 1), publish(home, 2)
    assert Editions.of(home).unpublished() == []
    Editions.of(home).point_current(first)  # a person goes back to the edition before
    assert Editions.of(home).unpublished() == []
    assert json.loads((second / edition.INFO).read_text())["edition_id"] == second.name
