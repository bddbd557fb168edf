"""Alerts reach people once: real SMTP and HTTP receivers on loopback, three nights of the same breach."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from pytest_httpserver import HTTPServer
from werkzeug import Response

from expectations import notify
from expectations.alerts import AlertLog, Breach, Scope
from expectations.care import CareNotice
from expectations.notify import Channel
from perinatal.home import Home

BLOCK = Breach("masks_are_whole", "block", "A masked count has a masked rate: 1 row(s) do not", remedy="Tell them.")
WARN = Breach("organisations_are_known", "warn", "Unknown organisation", affected_lms=["QOP"])


class Mailbox:
    def __init__(self) -> None:
        self.messages: list[str] = []

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:  # noqa: N802
        self.messages.append(envelope.content.decode())  # type: ignore[attr-defined]
        return "250 OK"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def mail() -> Iterator[tuple[str, Mailbox]]:
    box = Mailbox()
    with socket.socket() as probe:  # the controller cannot be asked which free port it took
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield f"mailto://127.0.0.1:{port}?from=insights@example.org&to=lead@example.org&mode=insecure", box
    finally:
        controller.stop()


def webhook(server: HTTPServer, path: str = "/hook") -> tuple[Channel, list[dict[str, str]]]:
    seen: list[dict[str, str]] = []

    def receive(request):
        seen.append(json.loads(request.data))
        return Response("ok")

    server.expect_request(path, method="POST").respond_with_handler(receive)
    return Channel(f"json://127.0.0.1:{server.port}{path}"), seen


def test_one_message_for_a_breach_of_three_nights_and_one_when_it_is_mended(home, mail, httpserver):
    url, box = mail
    hook, posts = webhook(httpserver)
    channels = [Channel(url), hook]
    for _night in range(3):
        AlertLog(home.alerts).reconcile(Scope.read("release"), [BLOCK])
        notify.notify(AlertLog(home.alerts), channels, digest=True)
    assert len(box.messages) == 1
    assert len(posts) == 1
    assert "masks_are_whole" in posts[0]["title"]
    assert "What to do: Tell them." in posts[0]["message"]
    AlertLog(home.alerts).reconcile(Scope.read("release"), [])
    for _night in range(2):
        notify.notify(AlertLog(home.alerts), channels, digest=True)
    assert len(box.messages) == 2
    assert len(posts) == 2
    assert "closed" in posts[1]["title"]


def test_an_accepted_alert_is_not_sent_and_comes_back_as_news(home, httpserver):
    hook, posts = webhook(httpserver)
    log = AlertLog(home.alerts)
    for breach, sent in ((WARN, 1), (WARN, 1), (replace(WARN, count=2), 2), (replace(WARN, count=2), 2)):
        log.reconcile(Scope.of("release"), [breach])
        notify.notify(log, [hook], digest=True)
        assert len(posts) == sent
        if len(posts) == 1:
            log.accept(log.all()[0], "Ann", "known", datetime.now(UTC).date())


def test_warnings_wait_for_the_digest(home, httpserver):
    hook, posts = webhook(httpserver)
    AlertLog(home.alerts).reconcile(Scope.read("release"), [BLOCK, WARN])
    notify.notify(AlertLog(home.alerts), [hook], digest=False)
    assert [post["title"] for post in posts] == ["Perinatal Insights [block] masks_are_whole"]
    notify.notify(AlertLog(home.alerts), [hook], digest=True)
    assert len(posts) == 2
    assert "Unknown organisation" in posts[1]["message"]


def test_an_lms_hears_of_its_own_trusts_only(home, httpserver):
    own, posts = webhook(httpserver, "/qop")
    other, others = webhook(httpserver, "/qrl")
    AlertLog(home.alerts).reconcile(Scope.read("release"), [BLOCK, WARN])
    notify.notify(AlertLog(home.alerts), [Channel(own.url, "QOP"), Channel(other.url, "QRL")], digest=True)
    assert len(posts) == 1
    assert "Unknown organisation" in posts[0]["message"]
    assert others == []


NEWS = CareNotice(
    "20261129T011557-b0f9db78",
    "QOP",
    "Greater Manchester",
    "trust/RM3/stillbirth",
    "Salford: Stillbirth rate, 2024: worse (by MBRRACE-UK, adjusted).",
    "trust/RM3.html",
)


def test_news_of_care_goes_to_its_lms_alone_and_once(home, httpserver):
    own, posts = webhook(httpserver, "/qop")
    other, others = webhook(httpserver, "/qrl")
    every, everything = webhook(httpserver, "/all")
    channels = [Channel(own.url, "QOP"), Channel(other.url, "QRL"), every]
    for _ in range(2):
        notify.notify(
            AlertLog(home.alerts), channels, digest=False, portal_url="https://insights.example/portal", news=[NEWS]
        )
    assert (len(posts), others, everything) == (1, [], [])
    assert posts[0]["title"] == "Perinatal Insights [care]: 1 new for Greater Manchester"
    assert NEWS.text in posts[0]["message"]
    assert "https://insights.example/portal/trust/RM3.html" in posts[0]["message"]
    again = replace(NEWS, edition_id="20261201T000000-00000000")
    notify.notify(AlertLog(home.alerts), channels, digest=False, news=[NEWS, again])
    assert len(posts) == 2, "what stood out, went and stands out again is news again"
    assert AlertLog(home.alerts).all() == [], "it is no alert of data quality"


def test_news_that_a_channel_does_not_take_waits(home, httpserver):
    httpserver.expect_ordered_request("/hook", method="POST").respond_with_data("no", status=500)
    channel = Channel(f"json://127.0.0.1:{httpserver.port}/hook", "QOP")
    [sent] = notify.notify(AlertLog(home.alerts), [channel], digest=False, news=[NEWS])
    assert (sent.failed, sent.waiting) == (True, 1)
    httpserver.expect_ordered_request("/hook", method="POST").respond_with_data("ok")
    [sent] = notify.notify(AlertLog(home.alerts), [channel], digest=False, news=[NEWS])
    assert (sent.failed, sent.alerts) == (False, 1)


def test_a_failed_channel_is_an_alert_and_is_tried_again(home, httpserver):
    httpserver.expect_ordered_request("/hook", method="POST").respond_with_data("no", status=500)
    channel = Channel(f"json://127.0.0.1:{httpserver.port}/hook")
    AlertLog(home.alerts).reconcile(Scope.read("release"), [BLOCK])
    sent = notify.notify(AlertLog(home.alerts), [channel], digest=True)
    assert sent[0].failed
    assert sent[0].waiting == 1
    assert [alert.breach.rule for alert in AlertLog(home.alerts).open() if alert.scope.kind == "notify"] == [
        "channel_fails"
    ]
    httpserver.clear()
    _, posts = webhook(httpserver)
    assert not notify.notify(AlertLog(home.alerts), [channel], digest=True)[0].failed
    assert len(posts) == 1
    assert not [alert for alert in AlertLog(home.alerts).open() if alert.scope.kind == "notify"]


def test_a_flood_becomes_one_message(home, httpserver):
    hook, posts = webhook(httpserver)
    flood = [Breach(f"rule_{number}", "block", f"breach {number}") for number in range(50)]
    AlertLog(home.alerts).reconcile(Scope.read("release"), flood)
    notify.notify(AlertLog(home.alerts), [hook], digest=True)
    assert len(posts) == 1
    assert "and 10 more" in posts[0]["message"]


def test_a_warning_that_becomes_a_block_is_sent_at_once_and_once(home, httpserver):
    hook, posts = webhook(httpserver)
    for severity in ("warn", "block", "block"):
        AlertLog(home.alerts).reconcile(Scope.read("release"), [replace(WARN, severity=severity)])
        notify.notify(AlertLog(home.alerts), [hook], digest=severity == "warn")
    assert [post["title"] for post in posts] == [f"Perinatal Insights [{s}] {WARN.rule}" for s in ("warn", "block")]


def test_a_message_is_enough_to_act_on(home, httpserver):
    hook, posts = webhook(httpserver)
    breach = replace(
        BLOCK,
        count=1234,
        sample_rows=[{"source_row": 7, "organisation_name": "A"}],
        affected_marts=["marts.trust_indicator"],
        affected_lms=["QOP"],
        release_key="mbrrace/perinatal_mortality/2023/abc",
    )
    AlertLog(home.alerts).reconcile(Scope.read("arrival/mbrrace/perinatal_mortality/2023"), [breach])
    notify.notify(AlertLog(home.alerts), [hook], digest=False, portal_url="https://insights.example.org/")
    for words in (
        "arrival/mbrrace/perinatal_mortality/2023",
        "Release: mbrrace/perinatal_mortality/2023/abc",
        "Rule: masks_are_whole (1,234 found)",
        "source row 7, organisation name A",
        "Tables: marts.trust_indicator",
        "Local maternity systems: QOP",
        "https://insights.example.org/quality.html#alerts",
        f"To accept it until a day: perinatal alerts accept {AlertLog(home.alerts).all()[0].alert_id} --why",
    ):
        assert words in posts[0]["message"]


def test_a_message_leads_to_the_page_of_its_alert_where_the_edition_has_one(home, httpserver):
    hook, posts = webhook(httpserver)
    log = AlertLog(home.alerts)
    log.reconcile(Scope.of("release"), [WARN, replace(WARN, rule="came_later")])
    ids = {alert.breach.rule: alert.alert_id for alert in log.all()}
    page = f"alert/{ids[WARN.rule]}.html"
    pages, address = {ids[WARN.rule]: page}, "https://insights.example.org"
    notify.notify(log, [hook], digest=True, portal_url=address, pages=pages)
    links = [line for line in posts[0]["message"].splitlines() if line.startswith("Page: ")]
    assert sorted(links) == [f"Page: {address}/{page}", f"Page: {address}/quality.html#alerts"]


def test_addresses_are_never_shown(home):
    channel = Channel("mailto://user:secret@mail.example.org")
    assert "secret" not in channel.name
    assert channel.name.startswith("mailto-")


def test_a_cut_off_line_in_the_log_costs_no_second_message(home, httpserver):
    hook, posts = webhook(httpserver)
    log = AlertLog(home.alerts)
    log.reconcile(Scope.read("release"), [BLOCK])
    log.folder.mkdir(parents=True, exist_ok=True)
    (log.folder / notify.DELIVERIES).write_text('{"at": "2026-01-01T00:00:00+00:00", "chann')  # a kill while writing
    for _night in range(2):
        notify.notify(log, [hook], digest=True)
    assert len(posts) == 1


def test_an_address_without_its_kind_is_named_by_a_hash_alone(home: Home) -> None:
    channel = Channel("TOKEN-123/without/a/kind")
    notify.notify(AlertLog(home.alerts), [channel], digest=True, send=lambda *_: False)
    assert "TOKEN" not in channel.name
    written = "".join(path.read_text() for path in home.alerts.rglob("*") if path.is_file())
    assert "TOKEN" not in written


def test_the_log_of_alerts_holds_no_credentials(home: Home) -> None:
    log = AlertLog(home.alerts)
    log.reconcile(Scope.read("pipeline/build"), [Breach("build_fails", "block", "s3://me:TOKEN-123@store/x is away")])
    assert [alert.breach.message for alert in log.all()] == ["s3://***@store/x is away"]
    assert "TOKEN" not in log.path.read_text()


def test_the_library_that_sends_logs_no_address(caplog: pytest.LogCaptureFixture) -> None:
    assert not notify._apprise("nosuchkind://TOKEN-123", "title", "body")
    assert "TOKEN" not in caplog.text
