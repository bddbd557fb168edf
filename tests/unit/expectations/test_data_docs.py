"""Data Docs read as standards: in words, with failing examples, release by release."""

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from expectations import data_docs, native
from expectations.results import Result
from expectations.standards import Standard

pytestmark = pytest.mark.slow  # the library writes some pages

STANDARDS = [
    Standard(
        id="births__range",
        type="expect_column_values_to_be_between",
        kwargs={"column": "births", "min_value": 0},
        description="births is at least 0",
        problem="births <i>are out of their range",
        remedy="Ask the publisher.",
    ),
    Standard.model_validate(
        {
            "id": "year_is_over",
            "description": "The year is over",
            "problem": "The year is not over yet",
            "query": "select source_row, trust_name from {batch} where regexp_matches(trust_name, '^O.{4}$')",
        }
    ),
    Standard(
        id="enough_rows",
        type="expect_table_row_count_to_be_between",
        kwargs={"min_value": 1},
        description="There are rows",
        problem="There are no rows",
    ),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with duckdb.connect() as connection:
        connection.execute(
            "create table rows as select * from (values (1, 'First', -1), (2, 'O<b>r', 9)) "
            "t(source_row, trust_name, births)"
        )
        found = native.validate(connection, "rows", STANDARDS, suite="arrival_mbrrace_deaths")
    now = [replace(one, release_key="mbrrace/deaths/2023/abc") for one in found]
    # a manifest of version 0.1 holds comparisons of numbers, without the words of the standard
    pair = "expect_column_pair_values_a_to_be_greater_than_b"
    old = [replace(found[0], expectation=pair, kwargs={}, description="", release_key="hsib/list/2021/0ld")]
    before: list[Result] = [replace(one, release_key="mbrrace/deaths/2022/def", success=True) for one in found]
    return data_docs.write(
        tmp_path_factory.mktemp("docs"),
        {"arrival_mbrrace_deaths": [before, now], "release": [found], "arrival_hsib_list": [old]},
    )


def test_each_suite_has_a_page_of_its_newest_run(site: Path) -> None:
    assert (site / "index.html").exists()
    [page] = site.glob("validations/arrival_mbrrace_deaths/**/*.html")
    text = page.read_text(encoding="utf-8")
    assert "The year is not over yet" in text
    assert "source_row: 2, trust_name: O&lt;b&gt;r" in text
    assert "O<b>r" not in text
    assert "expect_column_pair_values" not in text
    pages = [path.read_text(encoding="utf-8") for path in site.rglob("*.html")]
    assert not [page for page in pages if "births <i>are" in page]
    assert [page for page in pages if "births &lt;i&gt;are" in page]


def test_each_suite_shows_every_release(site: Path) -> None:
    text = (site / "trends" / "arrival_mbrrace_deaths.html").read_text(encoding="utf-8")
    assert text.index("deaths 2023") < text.index("deaths 2022")
    assert text.index("year_is_over") < text.index("enough_rows")  # what failed somewhere comes first
    assert "met (2)" in text


def test_results_of_an_earlier_version_stand_in_the_trend_alone(site: Path) -> None:
    assert list(site.glob("validations/arrival_hsib_list/**/*.html")) == []
    assert "births__range" in (site / "trends" / "arrival_hsib_list.html").read_text(encoding="utf-8")
