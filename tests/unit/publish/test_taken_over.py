"""What is taken over equals what is made: downloads and pages of an edition after random changes, byte for byte."""

import random
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import duckdb
import made_up
import pytest

from perinatal.made_files import LIST, MadeFiles, Since, Standing, read
from perinatal.sql import identifier
from publish import edition, packs, portal
from publish.portal import kept
from publish.portal.model import Facts

CHANGES = 10
KEYS = ("trust_code", "lms_code", "region_code", "organisation_code", "indicator_id", "release_key")


class Editions:
    """Editions of one file, each made whole, and beside it with what the one before it has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = made_up.make().write(folder / "edition.duckdb")
        self.numbers = count()
        self.before: Path | None = None

    def next(self) -> tuple[Path, Path]:
        """Make the next edition, partly and whole; returns their folders."""
        number = next(self.numbers)
        since = Since(
            f"2026110{number // 10}T00000{number % 10}-made", f"2026-11-0{1 + number // 10}T00:00:0{number % 10}"
        )
        partly, whole = (self._made(f"{number}-{how}", since, anew=how == "whole") for how in ("partly", "whole"))
        self.before = partly
        return partly, whole

    def _made(self, name: str, since: Since, *, anew: bool) -> Path:
        folder = self.folder / name
        made = MadeFiles(folder / "downloads", since, self._standing("downloads", anew=anew))
        edition.write_downloads(self.database, made)
        packs.write_all(self.database, made, is_synthetic=True)
        made.close()
        facts = Facts(since.edition_id, since.published_at, True)
        portal.write(self.database, folder / "portal", facts, self._standing("portal", anew=anew))
        return folder

    def _standing(self, name: str, *, anew: bool) -> Standing:
        return Standing(self.before / name if self.before else None, "code", anew=anew)

    def change(self, sql: str) -> None:
        """Change the tables that the next edition is made from."""
        with duckdb.connect(str(self.database)) as connection:
            connection.execute(sql)


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of an edition, its lists too."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def taken_over(partly: Path, before: Path) -> set[str]:
    """Return the files that an edition shares with the one before."""
    return {name for name in contents(partly) if (before / name).exists() and (partly / name).samefile(before / name)}


def differing(one: Path, other: Path) -> list[str]:
    """Return the names of files that only one of two editions has, or that differ."""
    here, there = contents(one), contents(other)
    return sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Editions:
    """Give editions of which the first is made."""
    editions = Editions(tmp_path_factory.mktemp("editions"))
    editions.next()
    return editions


@pytest.fixture
def editions(first: Editions, tmp_path: Path) -> Editions:
    """Give the first edition, and a file to change for the next one."""
    found = Editions.__new__(Editions)
    found.folder, found.numbers, found.before = tmp_path, count(1), first.before
    found.database = tmp_path / first.database.name
    shutil.copyfile(first.database, found.database)
    return found


def test_where_nothing_changed_everything_is_taken_over(editions: Editions) -> None:
    before = editions.before
    partly, whole = editions.next()
    assert differing(partly, whole) == []
    made = contents(partly).keys() - taken_over(partly, before)
    by_name = {"portal/change.html", "portal/quality.html", "portal/feed/editions.xml", "portal/feed/alerts.xml"}
    by_name |= {f"{folder}/{LIST}" for folder in ("downloads", "portal")}
    assert {name for name in made if not name.startswith("portal/feed/care-")} == by_name
    [pages] = [row for row in kept.counts(Since("now", ""), {}, read(partly / "portal")) if row["kind"] == kept.PAGES]
    assert pages["same"] == pages["files"] > 50


def test_a_changed_value_makes_what_shows_it_and_no_other_trust(editions: Editions) -> None:
    before = editions.before
    editions.change("update marts.trust_indicator set value = value + 1 where trust_code = 'R04'")
    partly, whole = editions.next()
    assert differing(partly, whole) == []
    shared = taken_over(partly, before)
    assert "portal/trust/R04.html" not in shared
    assert "downloads/lms/QBB/trust_indicator.csv" not in shared
    assert {"downloads/lms/QAA/trust_indicator.csv", "portal/trust/R04.csv", "portal/lms/QAA.csv"} & shared == {
        "downloads/lms/QAA/trust_indicator.csv", "portal/lms/QAA.csv"
    }  # fmt: skip
    assert "downloads/lms/QBB/inequality.parquet" in shared


def test_an_answer_makes_the_page_of_who_answers(editions: Editions) -> None:
    before = editions.before
    editions.change("update marts.annotation set text = 'We have changed our minds'")
    partly, whole = editions.next()
    assert differing(partly, whole) == []
    with duckdb.connect(str(editions.database), read_only=True) as connection:
        said = connection.execute("select distinct level, organisation_code from marts.annotation").fetchall()
    pages = {f"portal/{level}/{code}.html" for level, code in said}
    assert pages
    assert not pages & taken_over(partly, before)
    assert "portal/trust/R07.html" in taken_over(partly, before)


def test_other_code_makes_everything(first: Editions, tmp_path: Path) -> None:
    standing = Standing(first.before / "portal", "other code")
    facts = Facts("now", "2026-11-09T00:00:00", True)
    assert portal.write(first.database, tmp_path / "portal", facts, standing).taken_over == 0


def some_change(chance: random.Random, database: Path) -> Iterator[str]:
    """Yield statements that change, remove or repeat rows of a random organisation, indicator or release."""
    with duckdb.connect(str(database), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name, table_name, list(column_name), list(data_type) from duckdb_columns() "
            "where schema_name in ('marts', 'core', 'quality') and not internal group by all order by all"
        ).fetchall()
        keyed = [(f"{schema}.{table}", dict(zip(names, kinds, strict=True))) for schema, table, names, kinds in tables]
        keyed = [(table, shape) for table, shape in keyed if set(shape) & set(KEYS)]
        while True:
            table, shape = chance.choice(keyed)
            key = chance.choice(sorted(set(shape) & set(KEYS)))
            values = connection.execute(
                f"select distinct {key} from {table} where {key} is not null order by 1"
            ).fetchall()
            if values:
                break
    whose = f"{key} = '{chance.choice(values)[0]}'"
    numbers = [name for name, kind in shape.items() if kind == "DOUBLE"]
    if numbers:
        column = identifier(chance.choice(numbers))
        yield f"update {table} set {column} = {column} + {chance.randint(1, 9)} where {whose}"
    elif table.startswith("quality."):
        yield f"delete from {table} where {whose}"
    elif "source_url" in shape:
        yield f"update {table} set source_url = 'https://example.org/{chance.randint(1, 99)}' where {whose}"


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", [26, 260])
def test_after_random_changes_a_part_and_the_whole_are_the_same(editions: Editions, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same changes each time
    fixed = [
        # a release is withdrawn: its figures go
        f"delete from marts.trust_indicator where release_key = '{made_up.MONTHLY}' and trust_code <> 'R04'",
        # an answer is given
        "insert into marts.annotation by name select * replace ('again' as annotation_id, 'Again' as text) "
        "from marts.annotation limit 1",
        # a trust is called otherwise
        "update core.dim_organisation set name = 'Renamed NHS Trust' where code = 'R05'",
    ]
    for number in range(CHANGES):
        before = editions.before
        changes = [fixed[number]] if number < len(fixed) else list(some_change(chance, editions.database))
        for sql in changes:
            editions.change(sql)
        partly, whole = editions.next()
        assert differing(partly, whole) == [], changes
        assert len(taken_over(partly, before)) > 100, changes


def test_a_release_that_only_answers_name_is_part_of_the_pages_that_show_them(tmp_path: Path) -> None:
    editions = Editions(tmp_path)
    editions.change(
        "insert into core.dim_release by name select * replace ('annotations/answers/1' as release_key) "
        f"from core.dim_release where release_key = '{made_up.RELEASE}'"
    )
    editions.change("update marts.annotation set release_key = 'annotations/answers/1'")
    partly, _ = editions.next()
    page = "trust/R01.html"
    assert 'id="answer-' in (partly / "portal" / page).read_text(encoding="utf-8")
    assert read(partly / "portal")[page].key


def name_edition(path: Path, since: Since) -> None:
    path.write_text(since.edition_id, encoding="utf-8")


def test_a_file_that_is_forgotten_is_never_taken_over(tmp_path: Path) -> None:
    def files(name: str, before: str | None = None) -> MadeFiles:
        standing = Standing(tmp_path / before if before else None, "code")
        return MadeFiles(tmp_path / name, Since(name, "2026-11-01T00:00:00"), standing)

    first = files("one")
    first.write("page", first.key("shown"), name_edition)
    first.forget("page")
    first.close()
    second = files("two", "one")
    second.write("page", second.key("shown"), name_edition)
    assert (tmp_path / "two" / "page").read_text("utf-8") == "two"
