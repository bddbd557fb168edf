"""Standards are data: read strictly, said in words, asked over any table."""

import json
from pathlib import Path

import duckdb
import pytest

from expectations import arrival, release, standards
from expectations.standards import ROWS_QUERY, Standard, load_standards
from perinatal.errors import PerinatalError

EXPECTATIONS = Path(standards.__file__).parent
RELEASE_SUITES = sorted(EXPECTATIONS.glob("release/*.yml"))
SUITES = sorted([*EXPECTATIONS.glob("arrival/*.yml"), *RELEASE_SUITES])


@pytest.mark.parametrize("path", SUITES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_standard_of_the_project_says_what_is_wrong_why_it_matters_and_what_to_do(path: Path) -> None:
    found = load_standards(path)
    assert found
    for standard in found:
        assert standard.problem != standard.description
        assert standard.why, standard.id
        assert standard.remedy, standard.id
        assert not standard.problem.endswith(".")


def test_no_two_release_standards_share_an_id() -> None:
    ids = [standard.id for standard in release.written()]
    assert len(ids) == len(set(ids))


def test_what_the_release_gate_repeats_is_a_block_there() -> None:
    blocks = {standard.id for standard in release.written() if standard.severity == "block"}
    named = {one.blocked_by for path in arrival.SUITES.glob("*.yml") for one in load_standards(path) if one.blocked_by}
    assert named
    assert named <= blocks


def test_a_source_without_standards_of_its_own_has_none(tmp_path: Path) -> None:
    assert load_standards(tmp_path / "absent.yml") == ()
    (tmp_path / "empty.yml").touch()
    assert load_standards(tmp_path / "empty.yml") == ()


GOOD = {
    "id": "r",
    "description": "Births are positive",
    "problem": "Births are below 0",
    "severity": "warn",
    "dimension": "validity",
    "remedy": "Ask.",
    "owner": "us",
    "affected_marts": ["marts.m"],
    "query": "select * from {batch} where births < 0",
}


def written(folder: Path, *standards: dict[str, object]) -> Path:
    path = folder / "standards.yml"
    path.write_text(json.dumps(standards))
    return path


@pytest.mark.parametrize("part", release.REQUIRED)
def test_a_standard_that_leaves_something_unsaid_is_named(tmp_path: Path, part: str) -> None:
    path = written(tmp_path, {name: value for name, value in GOOD.items() if name != part})
    with pytest.raises(PerinatalError, match=rf"standards\.yml: standard 'r': {part} must be said"):
        load_standards(path, release.REQUIRED)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"severty": "warn"}, "severty: Extra"),
        ({"severity": "fatal"}, "severity: Input should be 'block', 'warn' or 'info'"),
        ({"dimension": "beauty"}, "dimension: "),
        ({"query": "select 1"}, "a query must say {batch}"),
        ({"type": "expect_column_to_exist"}, "query stands alone"),
    ],
)
def test_a_wrong_standard_is_named(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    with pytest.raises(PerinatalError, match=r"standards\.yml: standard 'r': ") as raised:
        load_standards(written(tmp_path, GOOD | changes))
    assert says in str(raised.value)


def test_a_standard_that_stands_twice_is_named(tmp_path: Path) -> None:
    with pytest.raises(PerinatalError, match="standard 'r': stands twice"):
        load_standards(written(tmp_path, GOOD, GOOD))


def test_a_condition_on_rows_is_for_whole_columns_only() -> None:
    said = {"column": "births", "row_condition": 'col("births") > 1'}
    with pytest.raises(ValueError, match="write a query"):
        Standard(id="r", type="expect_column_values_to_not_be_null", kwargs=said)
    whole = Standard(id="r", type="expect_column_unique_value_count_to_be_between", kwargs=said)
    assert whole.native_kwargs()["condition_parser"] == "great_expectations"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("select * from {batch} where births < 0", [2]),
        ("select batch.* from {batch}, (select 1) where regexp_matches(name, '^A{2}$')", [1]),
        ("with all_of as (select * from {batch}) select * from all_of a join {batch} b using (source_row)", [1, 2]),
        ("select rows.* from {batch} as rows where rows.births > 0", [1]),
    ],
)
def test_the_table_may_stand_wherever_a_table_may(query: str, found: list[int]) -> None:
    standard = Standard.model_validate({"id": "r", "query": query})
    with duckdb.connect() as connection:
        connection.execute(
            "create table t as select * from (values (1, 'AA', 5), (2, 'B', -1)) t(source_row, name, births)"
        )
        rows = connection.sql(standard.query_of("t")).project("source_row").order("source_row").fetchall()
    assert [number for (number,) in rows] == found
    assert standard.type == ROWS_QUERY
    assert standard.native_kwargs()["unexpected_rows_query"].format(batch="t") == standard.query_of("t")


@pytest.mark.parametrize(
    ("needs", "at_hand", "is_for"),
    [("", set(), True), ("a|b", {"b"}, True), ("a earlier", {"a"}, False), ("a earlier", {"a", "earlier"}, True)],
)
def test_a_standard_is_asked_where_all_it_needs_is_at_hand(needs: str, at_hand: set[str], is_for: bool) -> None:
    assert Standard(id="r", kwargs={"unexpected_rows_query": "{batch}"}, needs=needs).is_for(at_hand) is is_for
