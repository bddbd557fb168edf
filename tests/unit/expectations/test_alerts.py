"""Alerts open, repeat and close by themselves; the log is only ever added to."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context

import pytest

from expectations import alerts
from expectations.alerts import Alert, AlertLog, Breach, Scope
from perinatal.errors import PerinatalError
from perinatal.home import Home

MISSING = Breach("missing", "block", "One trust’s rows are missing", count=1, sample_rows=[{"source_row": 7}])
LATE = Breach("late", "warn", "The release is late")
RELEASE = Scope.of("release")


def log(home: Home) -> list[dict[str, object]]:
    return [json.loads(line) for line in (home.alerts / alerts.LOG).read_text().splitlines()]


def states(home: Home) -> dict[str, str]:
    return {alert.key: alert.state for alert in alerts.AlertLog(home.alerts).all()}


def only(home: Home) -> Alert:
    [alert] = alerts.AlertLog(home.alerts).all()
    return alert


def test_no_log_is_no_alerts(home: Home) -> None:
    assert alerts.AlertLog(home.alerts).all() == []
    alerts.AlertLog(home.alerts).reconcile(Scope.read("release"), [])
    assert not (home.alerts / alerts.LOG).exists()


def test_a_breach_opens_an_alert(home: Home) -> None:
    alerts.AlertLog(home.alerts).reconcile(Scope.read("release"), [MISSING])
    alert = only(home)
    assert (alert.state, alert.times_seen, alert.closed_at) == ("open", 1, None)
    assert alert.breach == MISSING
    assert alert.to_dict() | {"scope": "release", "rule": "missing", "severity": "block", "count": 1} == alert.to_dict()


def test_a_repeated_breach_is_counted_not_opened_again(home: Home) -> None:
    alerts.AlertLog(home.alerts).reconcile(Scope.read("release"), [MISSING])
    opened = only(home).opened_at
    alerts.AlertLog(home.alerts).reconcile(Scope.read("release"), [replace(MISSING, count=2)])
    alerts.AlertLog(home.alerts).reconcile(Scope.read("release"), [replace(MISSING, count=2)])
    alert = only(home)
    assert (alert.state, alert.times_seen, alert.opened_at, alert.breach.count) == ("open", 3, opened, 2)
    assert [event["event"] for event in log(home)] == ["opened", "updated", "seen"]


EARLIER = "2026-11-29T02:00:00+00:00"


def test_what_was_found_at_one_moment_is_written_once(home: Home) -> None:
    """A log that missed it gets it, with the moment at which it was found; one that has it stays as it is."""
    found = alerts.AlertLog(home.alerts)
    for _ in range(2):
        found.reconcile(RELEASE, [MISSING, LATE], EARLIER)
    assert {(one.times_seen, one.opened_at, one.last_seen_at) for one in found.all()} == {(1, EARLIER, EARLIER)}
    found.reconcile(RELEASE, [MISSING, LATE])
    found.reconcile(RELEASE, [replace(MISSING, count=2)], EARLIER)
    assert states(home) == {"release#missing": "open", "release#late": "closed"}
    assert [event["event"] for event in log(home)] == ["opened", "opened", "seen", "seen", "updated", "closed"]


def test_what_is_foreseen_is_what_then_stands(home: Home) -> None:
    found = alerts.AlertLog(home.alerts)
    found.reconcile(RELEASE, [MISSING])
    found.reconcile(Scope.of("daily"), [LATE])
    before, at = found.all(), alerts.moment()
    now = {RELEASE: [LATE], Scope.of("daily"): [replace(LATE, count=3, message="at https://ann:secret@example.org")]}
    foreseen = found.foresee(now, at)
    assert found.all() == before
    for scope, breaches in now.items():
        found.reconcile(scope, breaches, at)
    assert found.all() == foreseen
    assert states(home) == {"release#missing": "closed", "release#late": "open", "daily#late": "open"}
    assert "secret" not in str(foreseen)


def test_a_breach_that_is_gone_closes(home: Home) -> None:
    alerts.AlertLog(home.alerts).reconcile(Scope.read("release"), [MISSING, LATE])
    alerts.AlertLog(home.alerts).reconcile(Scope.read("release"), [LATE])
    assert states(home) == {"release#missing": "closed", "release#late": "open"}
    assert [alert.breach.rule for alert in alerts.AlertLog(home.alerts).open()] == ["late"]
    closed = next(alert for alert in alerts.AlertLog(home.alerts).all() if alert.state == "closed")
    assert closed.closed_at
    assert closed.breach == MISSING


def test_a_closed_alert_closes_once_and_opens_anew(home: Home) -> None:
    alerts.AlertLog(home.alerts).reconcile(Scope.read("release"), [MISSING])
    alerts.AlertLog(home.alerts).reconcile(Scope.read("release"), [])
    alerts.AlertLog(home.alerts).reconcile(Scope.read("release"), [])
    assert [event["event"] for event in log(home)] == ["opened", "closed"]
    alerts.AlertLog(home.alerts).reconcile(Scope.read("release"), [MISSING])
    assert (only(home).state, only(home).times_seen, only(home).closed_at) == ("open", 1, None)


def test_scopes_do_not_touch_each_other(home: Home) -> None:
    alerts.AlertLog(home.alerts).reconcile(Scope.read("arrival/a"), [MISSING])
    alerts.AlertLog(home.alerts).reconcile(Scope.read("arrival/b"), [MISSING])
    alerts.AlertLog(home.alerts).reconcile(Scope.read("arrival/a"), [])
    assert states(home) == {"arrival/a#missing": "closed", "arrival/b#missing": "open"}


@pytest.mark.parametrize("cut", [1, 2, 10, 40, 80, 120])
def test_a_half_written_last_line_never_happened(home: Home, cut: int) -> None:
    alerts.AlertLog(home.alerts).reconcile(Scope.read("release"), [LATE])
    path = home.alerts / alerts.LOG
    whole = path.read_bytes()
    event = (json.dumps(log(home)[0] | {"rule": "missing"}, ensure_ascii=False)).encode()
    path.write_bytes(whole + event[:-cut])
    assert states(home) == {"release#late": "open"}
    alerts.AlertLog(home.alerts).reconcile(Scope.read("release"), [LATE, MISSING])
    assert states(home) == {"release#late": "open", "release#missing": "open"}
    assert path.read_bytes().startswith(whole + event[:-cut] + b"\n")


def test_a_line_cut_within_a_character_never_happened(home: Home) -> None:
    alerts.AlertLog(home.alerts).reconcile(Scope.read("release"), [LATE])
    path = home.alerts / alerts.LOG
    with path.open("ab") as out:
        out.write('{"event": "opened", "breach": {"message": "trust’'.encode()[:-1])
    assert states(home) == {"release#late": "open"}
    alerts.AlertLog(home.alerts).reconcile(Scope.read("release"), [LATE])
    assert only(home).times_seen == 2


def test_nothing_is_ever_rewritten(home: Home) -> None:
    before = b""
    for breaches in ([MISSING], [MISSING, LATE], [], [LATE], [MISSING]):
        alerts.AlertLog(home.alerts).reconcile(Scope.read("release"), breaches)
        now = (home.alerts / alerts.LOG).read_bytes()
        assert now.startswith(before)
        before = now


def _reconcile_often(home: Home, scope: str) -> None:
    for _ in range(20):
        alerts.AlertLog(home.alerts).reconcile(Scope.read(scope), [MISSING])


def test_processes_may_write_at_once(home: Home) -> None:
    context = get_context("spawn")
    processes = [context.Process(target=_reconcile_often, args=(home, f"arrival/{n}")) for n in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert {alert.key: alert.times_seen for alert in alerts.AlertLog(home.alerts).all()} == {
        "arrival/0#missing": 20,
        "arrival/1#missing": 20,
    }


def test_newest_first(home: Home) -> None:
    alerts.AlertLog(home.alerts).reconcile(Scope.read("b"), [MISSING])
    alerts.AlertLog(home.alerts).reconcile(Scope.read("a"), [MISSING])
    found = alerts.AlertLog(home.alerts).all()
    assert [alert.last_seen_at for alert in found] == sorted((a.last_seen_at for a in found), reverse=True)


def test_a_refused_file_makes_a_blocking_breach() -> None:
    breach = alerts.from_reason({"rule": "empty", "message": "the file is empty"})
    assert (breach.severity, breach.count, breach.rule) == ("block", 1, "empty")
    assert "quarantine" in breach.remedy


def test_a_quarantine_report_of_an_earlier_version_is_read() -> None:
    reason = {"rule": "r", "message": "m", "count": 2, "severity": "block", "rows": [{"source_row": 1}], "remedy": "x"}
    assert alerts.from_reason(reason).sample_rows == [{"source_row": 1}]


@pytest.mark.parametrize(
    ("text", "kind", "source", "release"),
    [
        ("arrival/mbrrace/deaths/2023", "arrival", "mbrrace", ("mbrrace", "deaths", "2023")),
        ("arrival/mbrrace/a.csv", "arrival", "mbrrace", None),
        ("inbox/msds/a.csv", "inbox", "msds", None),
        ("release", "release", None, None),
    ],
)
def test_a_scope_is_read_and_written_as_the_log_has_it(
    text: str, kind: str, source: str | None, release: tuple[str, ...] | None
) -> None:
    scope = Scope.read(text)
    assert (str(scope), scope.kind, scope.source_id, scope.release) == (text, kind, source, release)


# --- accepting -----------------------------------------------------------------------------------------------------

TODAY = datetime.now(UTC).date()


@pytest.fixture
def accepted(tmp_path) -> AlertLog:
    """Give a log in which a warning of five rows is accepted for a week."""
    found = AlertLog(tmp_path)
    found.reconcile(RELEASE, [replace(LATE, count=5)])
    found.accept(found.find(found.all()[0].alert_id[:4]), "Ann", "The publisher knows", TODAY + timedelta(days=7))
    return found


def test_an_accepted_alert_is_open_no_more_and_says_who_and_why(accepted: AlertLog) -> None:
    [alert] = accepted.all()
    assert (alert.state, accepted.open()) == ("accepted", [])
    kept = {name: value for name, value in alert.to_dict().items() if name.startswith("accepted")}
    until = (TODAY + timedelta(days=7)).isoformat()
    assert kept == {"accepted_by": "Ann", "accepted_until": until, "accepted_why": "The publisher knows"}


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (replace(LATE, count=5), "accepted"),
        (replace(LATE, count=4, message="fewer"), "accepted"),
        (replace(LATE, count=6), "open"),
        (replace(LATE, count=5, severity="block"), "open"),
    ],
)
def test_it_comes_back_when_it_grows(accepted: AlertLog, found: Breach, state: str) -> None:
    accepted.reconcile(RELEASE, [found])
    assert [alert.state for alert in accepted.all()] == [state]
    assert accepted.all()[0].times_seen == 2


def test_it_comes_back_after_the_day(accepted: AlertLog) -> None:
    for days, state in ((7, "accepted"), (8, "open")):
        [alert] = accepted.all(TODAY + timedelta(days=days))
        assert alert.state == state
    assert alert.to_dict()["accepted_by"] is None


def test_one_that_closes_and_opens_anew_is_not_accepted(accepted: AlertLog) -> None:
    accepted.reconcile(RELEASE, [])
    accepted.reconcile(RELEASE, [replace(LATE, count=5)])
    assert accepted.all()[0].state == "open"


def test_what_cannot_be_accepted_is_an_error(accepted: AlertLog) -> None:
    [alert] = accepted.all()
    with pytest.raises(PerinatalError, match="has not passed"):
        accepted.accept(alert, "Ann", "why", date(2020, 1, 1))
    accepted.reconcile(RELEASE, [])
    with pytest.raises(PerinatalError, match="closed"):
        accepted.accept(accepted.all()[0], "Ann", "why", TODAY)
    with pytest.raises(PerinatalError, match="0 alerts have an id that begins with 'zz'"):
        accepted.find("zz")
