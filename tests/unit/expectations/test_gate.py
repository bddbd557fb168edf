"""Great Expectations is the judge: limits, missing numbers, severities."""

import os
import sys
from pathlib import Path

import pytest

from expectations import gate
from expectations.checks import Measured, Result, Rule


def rule(name: str, **changes: object) -> Rule:
    return Rule(**{"id": name, "says": "Says", "severity": "warn", "dimension": "validity", **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Result]:
    """Judge one batch of everything; each test looks at some of it."""
    batch = [
        Measured(rule("inside", measure="-", minimum=1, maximum=3), 2.0),
        Measured(rule("at_least", measure="-", minimum=1, maximum=3), 1.0),
        Measured(rule("at_most", measure="-", minimum=1, maximum=3), 3.0),
        Measured(rule("below", measure="-", minimum=1, maximum=3), 0.999, [{"source_row": 1}], "told"),
        Measured(rule("above", measure="-", minimum=1, maximum=3), 3.001),
        Measured(rule("only_minimum", measure="-", minimum=1), 1e9),
        Measured(rule("only_maximum", measure="-", maximum=1), -1e9),
        Measured(rule("no_rows", offending="-"), 0.0),
        Measured(rule("one_row", offending="-", severity="block", marts=("marts.x",)), 1.0, release_key="a/b"),
        Measured(rule("tolerated", offending="-", maximum=2), 2.0),
        Measured(rule("not_tolerated", offending="-", maximum=2), 3.0),
        Measured(rule("nothing_to_compare", measure="-", minimum=1), None),
        Measured(rule("no_limit", measure="-", severity="info"), 5.0),
    ]
    return {result.rule: result for result in gate.judge("suite", batch)}


@pytest.mark.parametrize(
    "name",
    ["inside", "at_least", "at_most", "only_minimum", "only_maximum", "no_rows", "tolerated", "no_limit"],
)
def test_what_lies_within_its_limits_passes(verdicts: dict[str, Result], name: str) -> None:
    assert verdicts[name].success


@pytest.mark.parametrize("name", ["below", "above", "one_row", "not_tolerated"])
def test_what_lies_outside_fails(verdicts: dict[str, Result], name: str) -> None:
    assert verdicts[name].failed


def test_what_cannot_be_compared_passes_and_shows_no_number(verdicts: dict[str, Result]) -> None:
    assert verdicts["nothing_to_compare"].success
    assert verdicts["nothing_to_compare"].observed is None


def test_a_verdict_says_everything(verdicts: dict[str, Result]) -> None:
    found = verdicts["one_row"]
    assert (found.suite, found.severity, found.blocks, found.observed, found.maximum) == (
        "suite",
        "block",
        True,
        1.0,
        0.0,
    )
    assert found.expectation == "expect_column_pair_values_a_to_be_greater_than_b"
    assert (found.affected_marts, found.release_key) == (["marts.x"], "a/b")
    assert verdicts["below"].message == "told"
    assert verdicts["below"].sample_rows == [{"source_row": 1}]
    assert verdicts["inside"].sample_rows == []


def test_verdicts_come_in_the_order_of_the_rules(verdicts: dict[str, Result]) -> None:
    assert list(verdicts)[:3] == ["inside", "at_least", "at_most"]


def test_nothing_measured_is_nothing_judged() -> None:
    assert gate.judge("suite", []) == []


def test_the_library_does_not_phone_home(verdicts: dict[str, Result]) -> None:
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"
    assert "great_expectations" in sys.modules


def test_results_get_their_release(verdicts: dict[str, Result]) -> None:
    assert [item.release_key for item in gate.with_release(list(verdicts.values()), "x/y")] == ["x/y"] * len(verdicts)


def test_data_docs_are_pages(verdicts: dict[str, Result], tmp_path: Path) -> None:
    gate.write_docs(tmp_path, {"suite": [[verdicts["below"], verdicts["inside"]], [verdicts["above"]]]})
    pages = list(tmp_path.glob("**/data_docs/local_site/**/*.html"))
    assert any(page.name == "index.html" for page in pages)
    assert any("below" in page.read_text() for page in pages)
