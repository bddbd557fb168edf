"""Rules are data: read strictly, measured in SQL, told with the rows concerned."""

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from expectations import checks, release
from expectations.checks import Measured, Result, Rule
from perinatal.errors import PerinatalError

EXPECTATIONS = Path(checks.__file__).parent
RELEASE_SUITES = sorted(EXPECTATIONS.glob("release/*.yml"))
SUITES = sorted([*EXPECTATIONS.glob("arrival/*.yml"), *RELEASE_SUITES])


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as found:
        found.execute("create table rows as select i as source_row, i * 10 as events from range(1, 11) as t(i)")
        yield found


def rule(**changes: object) -> Rule:
    return Rule(**{"id": "r", "says": "Says", "severity": "warn", "dimension": "validity", **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("path", SUITES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_rule_of_the_project_says_what_to_do(path: Path) -> None:
    rules = checks.load_rules(path)
    assert rules
    assert all(item.says and item.remedy for item in rules)


def test_no_two_release_rules_share_an_id() -> None:
    ids = [item.id for path in SUITES if path.parent.name == "release" for item in checks.load_rules(path)]
    assert len(ids) == len(set(ids))


def test_a_source_without_rules_of_its_own_has_none(tmp_path: Path) -> None:
    assert checks.load_rules(tmp_path / "absent.yml") == ()
    (tmp_path / "empty.yml").touch()
    assert checks.load_rules(tmp_path / "empty.yml") == ()


GOOD = {
    "id": "r",
    "says": "x",
    "severity": "warn",
    "dimension": "validity",
    "remedy": "y",
    "owner": "z",
    "marts": ["marts.m"],
    "offending": "select 1",
}


@pytest.mark.parametrize("tag", release.TAGS)
def test_a_rule_without_a_tag_is_named(tmp_path: Path, tag: str) -> None:
    path = tmp_path / "rules.yml"
    path.write_text(json.dumps([{name: value for name, value in GOOD.items() if name != tag}]))
    with pytest.raises(PerinatalError, match=rf"rules\.yml: rule 'r': {tag} must be said"):
        checks.load_rules(path, release.TAGS)


@pytest.mark.parametrize("path", RELEASE_SUITES, ids=lambda path: path.name)
def test_every_release_rule_is_tagged(path: Path) -> None:
    assert checks.load_rules(path, release.TAGS)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"severty": "warn"}, "rule 'r': .*severty"),
        ({"severity": "fatal"}, "rule 'r': severity 'fatal'"),
        ({"dimension": "beauty"}, "rule 'r': dimension 'beauty'"),
        ({"offending": None}, "rule 'r': .*offending or measure"),
        ({"measure": "select 1"}, "rule 'r': .*offending or measure"),
    ],
)
def test_a_wrong_rule_is_named(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    path = tmp_path / "rules.yml"
    path.write_text(json.dumps([GOOD | changes]))
    with pytest.raises(PerinatalError, match=rf"rules\.yml: {says}"):
        checks.load_rules(path)


def test_a_doubled_rule_is_named(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(json.dumps([GOOD, GOOD]))
    with pytest.raises(PerinatalError, match=r"rules\.yml: rule 'r': .*twice"):
        checks.load_rules(tmp_path / "rules.yml")


def test_offending_rows_are_counted_and_a_few_are_kept(connection: duckdb.DuckDBPyConnection) -> None:
    [found] = checks.measure(connection, [rule(offending="select * from rows where events > 30 order by source_row")])
    assert found.observed == 7.0
    assert len(found.rows) == checks.SAMPLE_ROWS
    assert found.rows[0] == {"source_row": 4, "events": 40}
    assert found.message == "Says: 7 row(s) do not, first at row 4, 5, 6, 7, 8"


def test_a_rule_that_nothing_offends(connection: duckdb.DuckDBPyConnection) -> None:
    [found] = checks.measure(connection, [rule(offending="select * from rows where false")])
    assert (found.observed, found.rows, found.message) == (0.0, [], "Says")


def test_one_number_is_measured(connection: duckdb.DuckDBPyConnection) -> None:
    [found] = checks.measure(connection, [rule(measure="select avg(events) from rows", minimum=1)])
    assert (found.observed, found.message) == (55.0, "Says (seen: 55)")


def test_nothing_to_compare_is_no_number(connection: duckdb.DuckDBPyConnection) -> None:
    [found] = checks.measure(connection, [rule(measure="select 1 / null", minimum=1)])
    assert (found.observed, found.message) == (None, "Says (seen: nothing to compare)")


def test_a_rule_belongs_to_the_release_that_all_its_rows_come_from(connection: duckdb.DuckDBPyConnection) -> None:
    one = rule(offending="select 'a/b' as release_key, * from rows")
    several = rule(offending="select 'a/' || source_row as release_key, * from rows")
    late = rule(offending="select if(source_row < 10, 'a', 'b') as release_key, * from rows order by source_row")
    assert [item.release_key for item in checks.measure(connection, [one, several, late])] == ["a/b", None, None]


@pytest.mark.parametrize("kind", ["offending", "measure"])
def test_sql_that_fails_is_named_by_its_rule(connection: duckdb.DuckDBPyConnection, kind: str) -> None:
    with pytest.raises(PerinatalError, match=r"rule 'r': .*no_such_column"):
        checks.measure(connection, [rule(**{kind: "select no_such_column from rows"}, minimum=0)])


def test_rows_can_be_written_as_json(connection: duckdb.DuckDBPyConnection) -> None:
    found = checks.records(
        connection.sql(
            "select date '2024-01-31' as d, 1.5::decimal(3, 1) as n, 'nan'::double as x, null as z, ['a'] as l"
        )
    )
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found[0]["d"] == "2024-01-31"


def result(**changes: object) -> Result:
    base: dict[str, object] = {
        "suite": "s",
        "rule": "r",
        "expectation": "e",
        "severity": "warn",
        "dimension": "validity",
        "success": False,
        "observed": 3.0,
        "minimum": None,
        "maximum": 0.0,
        "message": "three rows do not",
        "remedy": "ask",
        "owner": "us",
        "affected_marts": ["marts.trust_indicator"],
        "sample_rows": [{"source_row": 1}],
    }
    return Result(**base | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("severity", "success", "blocks", "alerts"),
    [
        ("block", False, True, True),
        ("warn", False, False, True),
        ("info", False, False, False),
        ("block", True, False, False),
        ("warn", True, False, False),
    ],
)
def test_what_a_verdict_leads_to(severity: str, success: bool, blocks: bool, alerts: bool) -> None:
    found = result(severity=severity, success=success)
    assert (found.blocks, found.is_told) == (blocks, alerts)


def test_a_verdict_survives_its_manifest() -> None:
    found = result(release_key="a/b")
    assert Result(**json.loads(json.dumps(found.to_dict()))) == found


def test_a_verdict_as_reason_and_as_breach() -> None:
    found = result(release_key="a/b")
    assert (
        found.as_reason() | {"rule": "r", "count": 3, "rows": [{"source_row": 1}], "remedy": "ask"} == found.as_reason()
    )
    breach = found.as_breach()
    assert (breach.rule, breach.severity, breach.count, breach.release_key) == ("r", "warn", 3, "a/b")


def test_a_rule_on_rows_asks_for_none_unless_it_says_more() -> None:
    assert rule(offending="select 1").upper == 0.0
    assert rule(offending="select 1", maximum=2).upper == 2
    assert rule(measure="select 1", minimum=1).upper is None
    assert Measured(rule(), 1.0).rows == []
