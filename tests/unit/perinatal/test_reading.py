"""`perinatal.connect()`: read-only, and it follows the current edition."""

from pathlib import Path

import duckdb
import pytest

import perinatal
from perinatal.errors import PerinatalError
from perinatal.home import Home
from publish import edition
from publish.edition import Editions


def publish(home: Home, name: str) -> None:
    folder = home.editions / name
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / edition.DATABASE)) as connection:
        connection.execute(f"create schema marts; create table marts.said as select '{name}' as word, 1 as number")
    (folder / edition.INFO).write_text("{}")
    Editions.of(home).point_current(folder)


def test_it_answers_from_the_current_edition(home: Home) -> None:
    publish(home, "one")
    with perinatal.connect() as connection:
        assert connection.sql("select word from marts.said").fetchall() == [("one",)]
        assert connection.execute("select number + ? from marts.said", [1]).fetchall() == [(2,)]
        assert connection.table("marts.said").fetchall() == [("one", 1)]
        assert connection.tables() == ["marts.said"]
        assert connection.edition == "one"


def test_it_follows_a_new_edition_and_lets_answers_finish(home: Home) -> None:
    publish(home, "one")
    connection = perinatal.connect(home.root)
    waiting = connection.sql("select word from marts.said")
    publish(home, "two")
    assert connection.sql("select word from marts.said").fetchall() == [("two",)]
    assert connection.edition == "two"
    assert waiting.fetchall() == [("one",)]


def test_nothing_can_be_written(home: Home) -> None:
    publish(home, "one")
    with pytest.raises(duckdb.Error, match="read-only"):
        perinatal.connect().execute("insert into marts.said values ('no', 0)")


def test_before_the_first_edition_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PerinatalError, match="no edition is published"):
        perinatal.connect(tmp_path)


def test_a_frame_comes_out(home: Home) -> None:
    publish(home, "one")
    frame = perinatal.connect().sql("from marts.said").df()
    assert list(frame.columns) == ["word", "number"]
