"""Alerts are brought to the edition that people read, when it is published and when nothing is new."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from expectations.alerts import AlertLog, Breach, Scope, look_commands
from perinatal.home import Home
from pipeline import assembly, release_judgement
from pipeline.release_judgement import CANDIDATE, DAILY, JUDGEMENT, RELEASE
from publish import edition, quality_tables

JUDGED_AT = "2026-11-29T02:00:00+00:00"
BLOCK = Breach("masks_are_whole", "block", "A mask is broken", count=2)
SHRINKS = Breach(
    "no_mart_shrinks_much",
    "warn",
    "The trust mart has less rows",
    count=7,
    sample_rows=[{"rows_against_last": 0.5}],
    remedy="Look at marts.edition_change.",
    affected_marts=["marts.trust_indicator"],
    affected_lms=["QOP"],
    release_key="mbrrace/perinatal_mortality/2023/aaaaaaaaaaaa",
    why="Figures have left.",
)
LATE = Breach("sources_are_on_time", "warn", "The next period is overdue")


@pytest.fixture
def log(home: Home) -> AlertLog:
    return AlertLog(home.alerts)


@pytest.fixture
def published(home: Home, log: AlertLog) -> Path:
    """Give an edition with one alert of each of two scopes, of which the log knows nothing yet."""
    folder = home.editions / "20261129T020500-00000000"
    folder.mkdir(parents=True)
    (folder / edition.INFO).write_text(json.dumps({"judged_at": JUDGED_AT}))
    with duckdb.connect(str(folder / edition.DATABASE)) as connection:
        connection.execute("create schema quality")
    found = log.foresee({RELEASE: [SHRINKS], DAILY: [LATE]}, JUDGED_AT)
    quality_tables.write_alerts(folder / edition.DATABASE, [alert.to_dict() for alert in found])
    return folder


def standing(log: AlertLog) -> dict[str, tuple[str, int]]:
    return {alert.key: (alert.opened_at, alert.times_seen) for alert in log.all() if alert.state != "closed"}


def test_at_publication_the_log_gets_what_the_edition_says(log: AlertLog, published: Path) -> None:
    log.reconcile(JUDGEMENT, [Breach("headlines_and_verdicts_stand", "warn", "Much was otherwise last time")])
    release_judgement.settle(log, published, (RELEASE, DAILY, JUDGEMENT))
    assert standing(log) == {
        "release#no_mart_shrinks_much": (JUDGED_AT, 1),
        "daily#sources_are_on_time": (JUDGED_AT, 1),
    }
    assert {alert.breach.rule: alert.breach for alert in log.open()}[SHRINKS.rule] == SHRINKS


def test_where_nothing_is_new_what_held_a_candidate_back_closes_and_the_rest_stays(
    log: AlertLog, published: Path
) -> None:
    release_judgement.settle(log, published, (RELEASE, DAILY, JUDGEMENT))
    [shrinks] = [alert for alert in log.open() if alert.scope == RELEASE]
    log.accept(shrinks, "Ann", "known", datetime.now(UTC).date() + timedelta(days=7))
    log.reconcile(CANDIDATE, [BLOCK])
    for failed in ("operations/assemble/gate", "operations/assemble/run", "operations/inbox/land"):
        log.reconcile(Scope.read(failed), [Breach("task_failed", "block", "it failed")])
    log.reconcile(DAILY, [])  # by the morning's look: the next figures have come
    before = standing(log)
    for _ in range(2):
        release_judgement.settle(log, published, (RELEASE, JUDGEMENT))
    left = {"release#no_mart_shrinks_much", "operations/inbox/land#task_failed"}
    assert standing(log) == {key: value for key, value in before.items() if key in left}
    assert [alert.acceptance.by for alert in log.all() if alert.state == "accepted"] == ["Ann"]


def test_where_nothing_is_landed_there_is_no_candidate(home: Home, log: AlertLog) -> None:
    log.reconcile(CANDIDATE, [BLOCK])
    assert assembly.build(home).what == "nothing_landed"
    assert log.open() == []


def test_what_holds_a_candidate_back_is_asked_of_no_edition() -> None:
    """The command would show the verdicts of the edition that people read, which meets the standard."""
    assert look_commands(CANDIDATE, BLOCK.rule) == []
    assert look_commands(RELEASE, SHRINKS.rule) != []
