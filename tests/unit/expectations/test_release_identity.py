"""Standards of the release gate on what stands on one line and reaches its LMS, on small tables."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from expectations import release
from expectations.standards import load_standards


@pytest.fixture
def gate() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a candidate in memory with an attached working file."""
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as work")
        connection.execute("create schema work.staging")
        connection.execute("create schema reference")
        yield connection


def failing(connection: duckdb.DuckDBPyConnection, suite: str, rule: str) -> list[dict[str, object]]:
    [standard] = [one for one in load_standards(release.SUITES / suite) if one.id == rule]
    found = connection.execute(standard.query_of(standard.table))
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.mark.parametrize(
    ("label", "meant"),
    [
        ("002", "02"),
        ("2.00", "02"),
        (" 2", "02"),
        ("missing value/value outside reporting parameters", "Missing value / Value outside"),
        ("37 weeks", None),
        ("11", None),
    ],
)
def test_a_near_miss_of_a_known_category_alerts(gate: duckdb.DuckDBPyConnection, label: str, meant: str | None) -> None:
    gate.execute(
        "create table reference.msds_category as select * from (values ('i', '2', '02'), ('i', '02', '02'), "
        "('i', '<37 weeks', '<37 weeks'), ('i', '>=37 weeks', '>=37 weeks'), ('other', '11', '11'), "
        "('*', 'Missing value / Value outside reporting parameters', 'Missing value / Value outside')) "
        "as seed(indicator_id, label, category)"
    )
    gate.execute(
        "create table work.staging.base_msds__count as select 1 as source_row, 'r' as release_key, "
        "'i' as indicator_id, ?::varchar as published_category, false as is_known_category",
        [label],
    )
    found = failing(gate, "30_msds.yml", "msds_categories_are_known_spellings")
    assert [row["known_category"] for row in found] == ([meant] if meant else [])


def test_a_new_authority_is_named_with_the_lms_that_lacks_it(gate: duckdb.DuckDBPyConnection) -> None:
    gate.execute(
        "create table work.staging.int_observation as select 'fingertips' as source_id, 'utla' as level, "
        "null::varchar as exclusion_rule, 'all' as breakdown, 5.0 as numerator, 1.0 as publisher_value, "
        "'i' as indicator_id, '2025/26' as period_label, code as published_code, 'Place ' || code as published_name "
        "from (values ('E08000099'), ('E08000001')) as area(code)"
    )
    gate.execute("create table work.staging.int_area_cell as select 'E08000001' as area_code")
    gate.execute(
        "create table work.staging.int_area_rollup as select 'fingertips' as source_id, 'lms' as level, "
        "'all' as breakdown, 'i' as indicator_id, '2025/26' as period_label, area_code, false as is_complete, "
        "reporting as trusts_reporting, 0 as trusts_suppressed, 4 as trusts_expected "
        "from (values ('QF7', 3), ('QOQ', 4)) as area(area_code, reporting)"
    )
    [found] = failing(gate, "40_fingertips.yml", "fingertips_authorities_reach_their_lms")
    assert (found["published_code"], found["lms_without_a_value"]) == ("E08000099", "QF7")
