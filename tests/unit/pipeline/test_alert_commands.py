"""Alerts on the command line: short ids, what to do, accepting; refused files show how they begin."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from expectations.alerts import AlertLog, Breach, Scope
from ingest.archive.quarantine import Quarantine, Report
from perinatal.home import Home
from pipeline.commands.app import app

BREACH = Breach(
    "births__range",
    "warn",
    "births is out of its range: 2 of 9 rows",
    count=2,
    sample_rows=[{"source_row": 4, "organisation_name": "Barts"}],
    remedy="Ask the publisher.",
    why="Rates rest on it.",
)
SHA = "ab" * 32


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("PERINATAL_HOME", str(tmp_path))
    found = Home(tmp_path)
    AlertLog(found.alerts).reconcile(Scope.of("arrival", "made", "deaths", "2023"), [BREACH])
    return found


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def listed(*arguments: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(run("alerts", "--json", *arguments))
    return found


def test_an_alert_is_shown_with_all_that_is_needed_to_work_it(home: Home) -> None:
    [alert] = listed()
    shown = run("alerts", "show", str(alert["alert_id"])[:4])
    for words in (BREACH.message, "Why it matters: Rates rest on it.", "Ask the publisher.", "Barts", "alerts accept"):
        assert words in shown


def test_an_accepted_alert_is_listed_apart_with_who_and_why(home: Home) -> None:
    [alert] = listed()
    until = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
    run("alerts", "accept", str(alert["alert_id"]), "--why", "The publisher knows", "--until", until, "--by", "Ann")
    [after] = listed()
    assert (after["state"], after["accepted_by"], after["accepted_until"]) == ("accepted", "Ann", until)
    plain = run("alerts")
    assert plain.index("no open alerts") < plain.index("Accepted:") < plain.index("Ann")


def test_a_wrong_day_is_a_usage_error(home: Home) -> None:
    result = CliRunner().invoke(app, ["alerts", "accept", "x", "--why", "y", "--until", "soon"])
    assert result.exit_code in (1, 2)


@pytest.fixture
def refused(home: Home, tmp_path: Path) -> Home:
    """Give a home with one refused file, of a year that is not over."""
    file = tmp_path / "deaths.csv"
    file.write_bytes(b"Year,Deaths\n2031,4\n2031,5\n")
    reason = {
        "rule": "year_is_over",
        "message": "The birth year is not over yet",
        "sample_rows": [{"report_year": 2031}],
    }
    report = Report("mbrrace", SHA, file.name, None, None, "2026-01-01T00:00:00+00:00", False, [reason])
    Quarantine(home.quarantine).put(file, report)
    return home


def test_a_refused_file_shows_its_first_rows_the_reason_and_the_commands(refused: Home) -> None:
    shown = run("quarantine", "show", SHA[:6])
    for words in ("Year,Deaths", "2031,4", "The birth year is not over yet", f"quarantine release {SHA[:12]}"):
        assert words in shown


def test_what_the_release_gate_is_sure_to_block_is_not_released(refused: Home) -> None:
    result = CliRunner().invoke(app, ["quarantine", "release", SHA[:6], "--why", "please"])
    assert result.exit_code
    assert "no_period_in_the_future" in str(result.exception)
