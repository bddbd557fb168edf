"""Numbers on pages are those of the marts, and the row that a page names is the row of the publisher's file.

Asked of an edition of MBRRACE-UK's real files; `REAL_HOME=/path/to/state` takes a state folder with an edition of more.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from crawler import tree
from lxml import html

from ingest.archive.store import Archive
from perinatal.home import Home
from publish import edition

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
LEAST = 3000  # numbers that are compared
NUMBER = re.compile(r"-?[\d,]+(?:\.\d+)?")


@pytest.fixture(scope="module")
def home(request: pytest.FixtureRequest) -> Home:
    """Give a state folder with an edition of real files. Read-only."""
    if kept := os.environ.get("REAL_HOME"):
        return Home(Path(kept))
    published: Home = request.getfixturevalue("published")
    return published


@pytest.fixture(scope="module")
def connection(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(home.current / edition.DATABASE), read_only=True) as opened:
        yield opened


def numbers(cell: html.HtmlElement) -> list[str]:
    """Return the numbers that a cell shows, as they are written."""
    return NUMBER.findall(" ".join(cell.itertext()))


def is_same(shown: str, value: float | None) -> bool:
    """Whether a number as it is written is the value, rounded to the places that are written."""
    if value is None:
        return False
    places = len(shown.partition(".")[2])
    return abs(float(shown.replace(",", "")) - value) <= 0.5 * 10**-places + 1e-9


def newest(connection: duckdb.DuckDBPyConnection, level: str) -> dict[tuple[str, str, str], dict[str, float | None]]:
    """Return the newest values of a level for everybody, by organisation, indicator and release."""
    code = f"{level}_code"
    bounds = "value_min, value_max" if level == "lms" else "null as value_min, null as value_max"
    cursor = connection.execute(f"""
        select
            {code} as code, indicator_id, source_id, release_key, value, lower_95, upper_95, numerator, denominator,
            adjusted_value, adjusted_lower_95, adjusted_upper_95, {bounds}
        from marts.{level}_indicator
        where breakdown = 'all'
        qualify
            row_number() over (
                partition by {code}, source_id, indicator_id order by period_end desc, period_start desc
            )
            = 1
    """)
    names = [column[0] for column in cursor.description]
    found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {(row["code"], row["indicator_id"], row["release_key"].rsplit("/", 1)[-1]): row for row in found}


def compared(page: Path, code: str, values: dict[tuple[str, str, str], dict[str, float | None]]) -> Iterator[str]:
    """Yield each number of a page's tables of values that is the mart's; fail on one that is not."""
    for row in tree(page).xpath("//details[@data-topic]//table[contains(@class, 'values')]/tbody/tr"):
        indicator = Path(row.xpath("th/a/@href")[0]).stem
        [source] = {address for address in row.xpath("td/a/@href") if "release/" in address}
        release = re.search(r"release/([0-9a-f]+)", source)
        assert release, source
        mart = values[code, indicator, release[1]]
        cells = row.xpath("td")
        asked = {0: ("value", "value_min", "value_max", "lower_95", "upper_95"), 4: ("numerator", "denominator")}
        if len(cells) == 7:
            asked[5] = ("adjusted_value", "adjusted_lower_95", "adjusted_upper_95")
        for place, names in asked.items():
            for shown in numbers(cells[place]):
                assert any(is_same(shown, mart[name]) for name in names), (page.name, indicator, shown, mart)
                yield shown


@pytest.mark.parametrize("level", ["trust", "lms"])
def test_numbers_on_pages_are_those_of_the_marts(level: str, home: Home, connection: duckdb.DuckDBPyConnection) -> None:
    values = newest(connection, level)
    count = 0
    for page in sorted((home.current / "portal" / level).glob("*.html")):
        if page.stem != "index":
            count += sum(1 for _ in compared(page, page.stem, values))
    assert count > (LEAST if level == "trust" else 100)


def listed(home: Home, release: str) -> Iterator[tuple[str, int, str]]:
    """Yield page, row number and organisation of each trust's figure of a release that is one row of its file."""
    for path in sorted((home.current / "portal" / "release" / release).glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as handle:
            rows = {row["organisation_code"]: row for row in csv.DictReader(handle) if row["level"] == "trust"}
        for row in tree(path.with_suffix(".html")).xpath("//tbody/tr[starts-with(@id, 'trust-')]"):
            code = row.get("id").removeprefix("trust-")
            number = row.xpath("td[last()]")[0].text
            if number and number.replace(",", "").isdigit() and code in rows:
                yield path.name, int(number.replace(",", "")), rows[code]["organisation_name"]


def test_the_row_that_a_page_names_is_the_row_of_the_file(home: Home, connection: duckdb.DuckDBPyConnection) -> None:
    """MBRRACE-UK's files name the organisation in each row; the file is read from the archive by its sha256."""
    released = connection.execute(
        "select release_key, sha256 from core.dim_release where source_id = 'mbrrace'"
    ).fetchall()
    count = 0
    for key, sha256 in released:
        with Archive(home.archive).path_of(sha256).open(encoding="utf-8-sig", newline="") as handle:
            file = [" ".join(row) for row in csv.reader(handle)][1:]
        for page, number, name in listed(home, key.rsplit("/", 1)[-1]):
            assert name.strip() in file[number - 1], (page, number, name)
            count += 1
    assert count > 500
