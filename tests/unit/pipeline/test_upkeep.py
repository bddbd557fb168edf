"""News of care leaves an installation: from `edition.json` of the editions that are kept to the LMS's own channel."""

from __future__ import annotations

import json
import os
import time

import pytest
from pytest_httpserver import HTTPServer

from expectations.alerts import AlertLog, Breach, Scope
from perinatal.home import Home
from pipeline import upkeep
from tests.support import made_up

NEWS = {
    "lms_code": "QOP",
    "lms_name": "Greater Manchester",
    "subject": "trust/RM3/stillbirth",
    "text": "Salford: Stillbirth rate, 2024: worse (by MBRRACE-UK, adjusted).",
    "page": "trust/RM3.html",
}


def test_news_of_an_edition_goes_to_the_channel_of_its_lms(
    home: Home, monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook", method="POST").respond_with_data("ok")
    address = f"json://127.0.0.1:{httpserver.port}/hook"
    monkeypatch.setenv("PERINATAL_LMS_ALERT_URLS", json.dumps({"QOP": [address], "QRL": [address]}))
    for edition_id, more in (("20261128T000000-00000000", {}), ("20261129T000000-00000000", {"care": [NEWS]})):
        folder = home.editions / edition_id
        folder.mkdir(parents=True)
        (folder / "edition.json").write_text(json.dumps({"edition_id": edition_id} | more))
    first, second = upkeep.notify(home, digest=False), upkeep.notify(home, digest=False)
    assert (first.message, second.message) == ("1 alert(s) sent to 2 channel(s)", "0 alert(s) sent to 2 channel(s)")
    [(request, _)] = httpserver.log
    assert NEWS["text"] in json.loads(request.data)["message"]


def test_a_message_leads_to_the_page_of_the_alert_in_the_edition_that_stands(
    home: Home, monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook", method="POST").respond_with_data("ok")
    monkeypatch.setenv("PERINATAL_ALERT_URLS", json.dumps([f"json://127.0.0.1:{httpserver.port}/hook"]))
    monkeypatch.setenv("PERINATAL_PORTAL_URL", "https://insights.example.org")
    log = AlertLog(home.alerts)
    log.reconcile(Scope.of("inbox", "mbrrace"), [Breach("file_is_known", "block", "A file is not known")])
    page = home.editions / "20261129T000000-00000000" / "portal" / "alert" / f"{log.all()[0].alert_id}.html"
    page.parent.mkdir(parents=True)
    page.write_text("the page")
    facts = {"edition_id": page.parents[2].name, "published_at": "2026-11-29T00:00:00+00:00", "is_synthetic": True}
    facts |= {"releases": [], "warnings": []}
    (page.parents[2] / "edition.json").write_text(json.dumps(facts))
    made_up.make().write(page.parents[2] / "perinatal.duckdb")
    (home.root / "current").symlink_to(page.parents[2])
    upkeep.notify(home, digest=False)
    [(request, _)] = httpserver.log
    assert f"Page: https://insights.example.org/alert/{page.name}" in json.loads(request.data)["message"]


def test_old_logs_of_tasks_go_and_young_ones_stay(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERINATAL_KEEP_LOG_DAYS", "10")
    monkeypatch.delenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", raising=False)
    logs = home.root / "airflow" / "logs"
    ages = {"dag_id=assemble/run_id=a/task_id=gate": 11, "dag_id=assemble/run_id=b/task_id=gate": 9}
    for name, days in ages.items():
        log = logs / name / "attempt=1.log"
        log.parent.mkdir(parents=True)
        log.write_text("x")
        os.utime(log, (time.time() - days * 86_400,) * 2)
    (logs / "scheduler.log").write_text("x")
    os.utime(logs / "scheduler.log", (0, 0))
    pruned = upkeep.prune(home)
    assert (pruned.changed, pruned.message) == (
        True,
        "0 edition(s) removed, 0 kept; 1 log(s) older than 10 days removed; "
        "observations of 0 release(s) out of use removed",
    )
    left = {path.relative_to(logs).as_posix() for path in logs.rglob("*") if path.is_file()}
    assert left == {"dag_id=assemble/run_id=b/task_id=gate/attempt=1.log", "scheduler.log"}
    assert not (logs / "dag_id=assemble" / "run_id=a").exists()
    assert upkeep.prune(home).changed is False
