"""Editions are swapped in whole, pruned by setting, and safe to open in a spreadsheet."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from expectations import alerts
from expectations.alerts import Breach
from expectations.results import Result
from perinatal.home import Home
from perinatal.made_files import MadeFiles, Since
from publish import edition, quality_tables
from publish.edition import Editions

Publish = Callable[[str], Path]


@pytest.fixture
def publish(home: Home, tmp_path: Path) -> Publish:
    """Publish a small edition that holds one word."""

    def run(word: str) -> Path:
        folder = home.build / word
        (folder / "downloads").mkdir(parents=True)
        (folder / "downloads" / "word.txt").write_text(word)
        with duckdb.connect(str(folder / "candidate")) as connection:
            connection.execute(f"create schema marts; create table marts.said as select '{word}' as word")
        contents = {edition.DATABASE: folder / "candidate", "downloads": folder / "downloads"}
        return Editions.of(home).publish(folder, contents, {"fingerprint": word * 8, "is_synthetic": False})

    return run


def test_before_the_first_there_is_none(home: Home) -> None:
    assert Editions.of(home).current() is None


def test_an_edition_is_published_whole(home: Home, publish: Publish) -> None:
    made = publish("one")
    assert Editions.of(home).current() == made
    assert home.current.is_symlink()
    assert not home.current.readlink().is_absolute()
    facts = edition.info(made)
    assert facts["edition_id"] == made.name
    assert facts["fingerprint"].startswith("one")
    assert {path.name for path in made.iterdir()} == {edition.DATABASE, "downloads", edition.INFO}


def test_the_next_one_takes_its_place_and_the_last_stays_readable(home: Home, publish: Publish) -> None:
    first = publish("one")
    with duckdb.connect(str(home.database), read_only=True) as reader:
        second = publish("two")
        assert reader.execute("select word from marts.said").fetchall() == [("one",)]
    assert Editions.of(home).current() == second
    assert first.exists()
    with duckdb.connect(str(home.database), read_only=True) as reader:
        assert reader.execute("select word from marts.said").fetchall() == [("two",)]


def test_a_home_may_be_moved(home: Home, publish: Publish, tmp_path: Path) -> None:
    publish("one")
    moved = home.root.rename(tmp_path / "elsewhere")
    assert Editions.of(Home(moved)).current() is not None
    assert Home(moved).database.exists()


def test_a_current_that_points_nowhere_is_none(home: Home, publish: Publish) -> None:
    made = publish("one")
    made.rename(home.root / "taken away")
    assert Editions.of(home).current() is None


def name_editions(home: Home, *names: str) -> None:
    for name in names:
        (home.editions / name).mkdir(parents=True)
        (home.editions / name / edition.INFO).write_text("{}")


def test_old_editions_are_pruned_and_the_newest_kept(home: Home) -> None:
    name_editions(home, "2024", "2025", "2026", "2027")
    Editions.of(home).point_current(home.editions / "2027")
    assert Editions.of(home).prune(2) == ["2024", "2025"]
    assert sorted(path.name for path in home.editions.iterdir()) == ["2026", "2027"]
    assert Editions.of(home).prune(2) == []


def test_the_published_edition_is_never_pruned(home: Home) -> None:
    name_editions(home, "2024", "2025", "2026")
    Editions.of(home).point_current(home.editions / "2024")
    assert Editions.of(home).prune(1) == ["2025"]
    assert Editions.of(home).current() == home.editions / "2024"


def test_the_newest_stays_newest_after_the_clock_was_set_back(home: Home, publish: Publish) -> None:
    name_editions(home, "20991231T235959-0badc10c")
    made = publish("one")
    assert made.name == "21000101T000000-oneoneon"
    assert edition.info(made)["published_at"] < "2099"
    assert Editions.of(home).prune(1) == ["20991231T235959-0badc10c"]


DANGEROUS = ["=1+1", "+1", "-1", "@sum(a)", "\t=1", "\r=1", '=HYPERLINK("x")', "\n=1", " =1"]


def test_a_spreadsheet_runs_nothing(tmp_path: Path) -> None:
    candidate = tmp_path / "candidate.duckdb"
    with duckdb.connect(str(candidate)) as connection:
        connection.execute("create schema marts")
        connection.execute('create table marts.said (word varchar, "odd ""name" varchar, words varchar[], n double)')
        for word in DANGEROUS:
            connection.execute("insert into marts.said values ($1, $1, [$1, 'b'], -1.5)", [word])
        connection.execute("insert into marts.said values ('plain = text', null, [], null)")
    edition.write_downloads(candidate, MadeFiles(tmp_path / "downloads", Since("one", "")))
    with (tmp_path / "downloads" / "said.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    for word, row in zip(DANGEROUS, rows, strict=False):
        for cell in (row["word"], row['odd "name'], row["words"]):
            assert cell.startswith("'"), (word, cell)
        assert row["word"] == "'" + word
        assert row["words"] == f"'{word}; b"
        assert float(row["n"]) == -1.5
    assert rows[-1] == {"word": "plain = text", 'odd "name': "", "words": "", "n": ""}
    whole = duckdb.sql(f"select word from read_parquet('{tmp_path / 'downloads' / 'said.parquet'}')").fetchall()
    assert [row[0] for row in whole][:-1] == DANGEROUS


def test_verdicts_and_alerts_are_tables(home: Home, tmp_path: Path) -> None:
    candidate = tmp_path / "candidate.duckdb"
    with duckdb.connect(str(candidate)) as connection:
        connection.execute("create schema quality")
    verdict = Result(
        "release",
        "rule",
        "expect_x",
        "warn",
        "validity",
        False,
        3.0,
        None,
        0.0,
        "trust’s",
        "ask",
        "us",
        ["marts.a"],
        [{"a": 1}],
        "s/d/r",
        kwargs={"column": "births"},
        element_count=9,
        unexpected_count=3,
    )
    quality_tables.write_checks(candidate, [verdict, replace(verdict, success=True, observed=None, release_key=None)])
    alerts.AlertLog(home.alerts).reconcile(
        alerts.Scope.of("release"), [Breach("a", "warn", "A", sample_rows=[{"n": 1}]), Breach("b", "block", "B")]
    )
    alerts.AlertLog(home.alerts).reconcile(
        alerts.Scope.of("release"), [Breach("b", "block", "B", affected_lms=["QOP"])]
    )
    quality_tables.write_alerts(candidate, [alert.to_dict() for alert in alerts.AlertLog(home.alerts).all()])
    with duckdb.connect(str(candidate), read_only=True) as connection:
        checks = connection.execute(
            "select rule, success, observed, affected_marts, sample_rows ->> '$[0].a', kwargs ->> 'column', "
            "unexpected_count from quality.check_result"
        ).fetchall()
        found = connection.execute(
            "select rule, state, times_seen, affected_lms, closed_at is not null from quality.alert order by rule"
        ).fetchall()
    assert checks == [
        ("rule", False, 3.0, ["marts.a"], "1", "births", 3),
        ("rule", True, None, ["marts.a"], "1", "births", 3),
    ]
    assert found == [("a", "closed", 1, [], True), ("b", "open", 2, ["QOP"], False)]


def test_no_verdicts_are_an_empty_table(tmp_path: Path) -> None:
    candidate = tmp_path / "candidate.duckdb"
    with duckdb.connect(str(candidate)) as connection:
        connection.execute("create schema quality")
    quality_tables.write_checks(candidate, [])
    quality_tables.write_alerts(candidate, [])
    with duckdb.connect(str(candidate), read_only=True) as connection:
        assert connection.execute("select count(*) from quality.check_result").fetchall() == [(0,)]


def test_an_editions_facts_are_one_json_document(publish: Publish) -> None:
    assert json.loads((publish("one") / edition.INFO).read_text())["is_synthetic"] is False
