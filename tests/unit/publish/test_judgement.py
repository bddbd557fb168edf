"""A person is told when much is judged otherwise: a headline, or more than 5% of verdicts."""

from pathlib import Path

import duckdb
import pytest

from publish import judgement

HEADLINE = (
    "create table marts.national_ambition as select * from (values ('stillbirth', 'Stillbirths', 'ONS', 'England', "
    "'{year}', {year}, {actual}::double, false, true)) as t (ambition_id, ambition_name, definition, geography, "
    "period, year, actual, on_track, is_headline)"
)
VALUES = (
    "create table marts.{mart} as select 'mbrrace' as source_id, 'stillbirth_rate' as indicator_id, "
    "'R' || n as {code}, date '2024-01-01' as period_start, date '2024-12-31' as period_end, "
    "'all' as breakdown, 'all' as breakdown_value, "
    "case when n < {worse} then 'worse' when n < 90 then 'similar' when n < 95 then 'higher' end as {column} "
    "from range(100) as t (n)"
)


def _edition(folder: Path, *, worse: int, actual: float = 3.8, year: int = 2024, column: str = "verdict") -> Path:
    """Write an edition of 100 trusts and as many LMSs; returns its database."""
    folder.mkdir()
    database = folder / "perinatal.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema marts; create schema quality")
        connection.execute(HEADLINE.format(year=year, actual=actual))
        for mart, code in (("trust_indicator", "trust_code"), ("lms_indicator", "lms_code")):
            connection.execute(VALUES.format(mart=mart, code=code, worse=worse, column=column))
    return database


def _compare(folder: Path, before: dict[str, object], now: dict[str, object]) -> judgement.Judgements:
    old = _edition(folder / "old", **before)  # type: ignore[arg-type]
    new = _edition(folder / "new", **now)  # type: ignore[arg-type]
    return judgement.record(new, old.parent, ["release made_up/2025"])


def test_the_same_judgements_are_no_change(tmp_path: Path) -> None:
    found = _compare(tmp_path, {"worse": 10}, {"worse": 10})
    assert (found.headlines, found.verdicts_changed, found.verdicts_compared, found.is_much) == ((), 0, 180, False)


@pytest.mark.parametrize(("worse", "changed", "much"), [(14, 8, False), (15, 10, True)])
def test_more_than_one_verdict_in_twenty_is_much(tmp_path: Path, worse: int, changed: int, much: bool) -> None:
    found = _compare(tmp_path, {"worse": 10}, {"worse": worse})
    assert (found.verdicts_changed, found.is_much) == (changed, much)
    assert f"{changed} of 180 verdicts" in found.message


def test_a_newer_headline_is_much_and_its_cause_is_named(tmp_path: Path) -> None:
    found = _compare(tmp_path, {"worse": 10}, {"worse": 10, "actual": 3.6, "year": 2025})
    assert found.is_much
    assert "2024: 3.8" in found.message
    assert "2025: 3.6" in found.message
    assert found.message.endswith("Cause: release made_up/2025")
    with duckdb.connect(str(tmp_path / "new" / "perinatal.duckdb"), read_only=True) as connection:
        rows = connection.execute("select kind, changed, compared, causes from quality.judgement_change").fetchall()
    assert rows == [("headline", 1, 1, ["release made_up/2025"]), ("verdicts", 0, 180, ["release made_up/2025"])]


def test_an_edition_of_an_older_shape_is_compared_by_its_comparison(tmp_path: Path) -> None:
    found = _compare(tmp_path, {"worse": 0, "column": "comparison"}, {"worse": 20})
    assert (found.verdicts_changed, found.verdicts_compared) == (40, 180)


def test_a_first_edition_has_nothing_to_compare_with(tmp_path: Path) -> None:
    assert judgement.record(_edition(tmp_path / "new", worse=10), None, ()) == judgement.Judgements()


def test_causes_are_releases_rules_and_code() -> None:
    before = {
        "releases": ["a/1", "b/1"],
        "fingerprint_parts": {"releases": "1", "models": "1", "gate": "1", "pages": "1"},
    }
    now = {"releases": ["a/1", "c/1"], "fingerprint_parts": {"releases": "2", "models": "2", "gate": "1", "pages": "2"}}
    assert judgement.causes(before, now) == (
        "release c/1",
        "release b/1 is no longer used",
        "rule: the models or their reference data",
        "code: pages",
    )


def test_a_release_that_came_again_is_a_cause() -> None:
    before = {"releases": ["a/1", "a/2"], "fingerprint_parts": {"releases": "1"}}
    now = {"releases": ["a/1", "a/2"], "landed_again": {"a/1": "2026-11-30"}, "fingerprint_parts": {"releases": "2"}}
    assert judgement.causes(before, now) == ("release a/1 came again",)
    assert judgement.causes(before | {"landed_again": {"a/1": "2026-11-30"}}, now) == ()
