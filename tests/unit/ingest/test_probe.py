"""Probes against sample publishers: what is new is found once, and noise is not news."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from faulty_publishers import Fault, FaultyPublishers

from ingest.fetch.http import BadResponse, HttpClient, HttpOptions, PublisherUnavailable
from ingest.fetch.probe import ProbeResult, ProbeSpec, Token, probe
from perinatal.errors import PerinatalError

PAGE_URL = "https://site.example/audit/data"
PAGE = ProbeSpec("page", PAGE_URL, links=r"\.csv$|release")
GOVUK = ProbeSpec("govuk_content", "https://site.example/api/content/government/report")
FINGERTIPS = ProbeSpec(
    "fingertips_metadata", "https://site.example/api/indicator_metadata/all", indicator_ids=(101, 102, 999)
)
HTML = """<!DOCTYPE html><html class="js share"><head><title>t</title><style>p {{}}</style></head><body>
<nav><a href="/menu">Menu</a> {menu}</nav><div class="cookie-banner">{cookie}</div>
<main><h1>Data</h1><p>{text}</p><time>{time}</time><p>Last updated {date} at 10:{minute}</p>
<ul>{links}</ul><script>var nonce = "{menu}";</script></main>
<footer>{date}</footer></body></html>"""
PLAIN = dict(menu="m1", cookie="c", text="Births in 2023", time="now", date="3 May 2025", minute="15", links="")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "api").mkdir()
    (tmp_path / "content" / "government").mkdir(parents=True)
    routes = [
        {"path": "/audit/data", "file": "page.html"},
        {"path": "/api/content/", "govuk": "content"},
        {"path": "/api/", "fingertips": "api"},
    ]
    (tmp_path / "site.json").write_text(json.dumps({"sites": {"site.example": {"routes": routes}}}))
    write_page(tmp_path)
    return tmp_path


@pytest.fixture
def server(root: Path) -> Iterator[FaultyPublishers]:
    with FaultyPublishers(root) as running:
        yield running


@pytest.fixture
def client(server: FaultyPublishers) -> Iterator[HttpClient]:
    options = HttpOptions(stand_ins=server.stand_ins(), delay=0, attempts=2, backoff=0.01, read_timeout=1)
    with HttpClient(options) as http:
        yield http


def write_page(root: Path, **changes: str) -> None:
    (root / "page.html").write_text(HTML.format(**PLAIN | changes))


def write_uploads(root: Path, **dates: str | None) -> None:
    document = {
        number: {"IID": int(number), "DataChange": date and {"LastUploadedAt": date}} for number, date in dates.items()
    }
    (root / "api" / "indicator_metadata.json").write_text(json.dumps(document))


def stored(result: ProbeResult) -> Token:
    """Hand the token through JSON, as a caller that stores it does."""
    token: Token = json.loads(json.dumps(result.token))
    return token


# --- pages ------------------------------------------------------------------------------------------------


def test_a_page_is_new_once(root: Path, client: HttpClient, server: FaultyPublishers) -> None:
    write_page(root, links='<a href="files/2023.csv#top">2023 data</a><a href="mailto:x@y">release us</a>')
    first = probe(client, PAGE)
    assert first.changed
    assert [(f.title, f.url) for f in first.findings] == [("2023 data", "https://site.example/audit/files/2023.csv")]
    assert first.message == "first look: 1 links"
    server.forget()
    second = probe(client, PAGE, stored(first))
    assert (second.changed, second.findings, second.token) == (False, (), first.token)
    assert server.count().bodies == 0  # a conditional request


@pytest.mark.parametrize(
    "noise",
    [
        {"menu": "m2"},
        {"cookie": "We use cookies"},
        {"date": "11 June 2026", "minute": "59"},
        {"date": "2026-06-11"},
        {"time": "2 days ago"},
    ],
)
def test_menus_dates_and_times_are_not_news(root: Path, client: HttpClient, noise: dict[str, str]) -> None:
    first = probe(client, PAGE)
    write_page(root, **noise)
    second = probe(client, PAGE, stored(first))
    assert (second.changed, second.message) == (False, "nothing new")


def test_a_new_link_is_found_and_one_that_comes_back_is_not(root: Path, client: HttpClient) -> None:
    one = '<a href="/f/2023.csv">2023</a>'
    write_page(root, links=one)
    first = probe(client, PAGE)
    write_page(root, links=one + '<a href="/f/2024.csv">2024</a><a href="/f/2024.csv">again</a>')
    second = probe(client, PAGE, stored(first))
    assert [finding.id for finding in second.findings] == ["https://site.example/f/2024.csv"]
    assert second.message == "1 new: 2024 <https://site.example/f/2024.csv>"
    write_page(root)
    gone = probe(client, PAGE, stored(second))
    assert (gone.changed, gone.findings) == (True, ())
    write_page(root, links=one)
    assert probe(client, PAGE, stored(gone)).findings == ()


def test_changed_words_are_news_without_a_link(root: Path, client: HttpClient) -> None:
    first = probe(client, PAGE)
    write_page(root, text="Births in 2024")
    second = probe(client, PAGE, stored(first))
    assert (second.changed, second.message) == (True, "no new link, but the text has changed")


def test_another_pattern_looks_at_an_unchanged_page_again(root: Path, client: HttpClient) -> None:
    write_page(root, links='<a href="/f/2023.xlsx">2023</a>')
    first = probe(client, PAGE)
    assert first.findings == ()
    wider = ProbeSpec("page", PAGE_URL, links=r"\.(csv|xlsx)$")
    assert len(probe(client, wider, stored(first)).findings) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not_a_page"),
        (b"%PDF-1.7 nothing", "not_a_page"),
        (b"{}", "not_a_page"),
        (b"<!doctype html><html><body><nav>only a menu</nav></body></html>", "empty_page"),
        (b"<!doctype html><html><body><script>app()</script></body></html>", "empty_page"),
    ],
)
def test_a_page_without_text_is_refused(root: Path, client: HttpClient, content: bytes, reason: str) -> None:
    (root / "page.html").write_bytes(content)
    with pytest.raises(BadResponse) as caught:
        probe(client, PAGE)
    assert caught.value.reason == reason


def test_odd_pages_are_read(root: Path, client: HttpClient) -> None:
    (root / "page.html").write_bytes(
        b"<html><body><!-- c --><p>caf\xe9\x00</p><a href='http://[bad'>release</a>" + b"<div>" * 3000
    )
    assert probe(client, PAGE).findings == ()


def test_a_publisher_that_is_down_is_said_so(server: FaultyPublishers, client: HttpClient) -> None:
    server.fault("site.example/audit/data", Fault("status", status=503))
    with pytest.raises(PublisherUnavailable):
        probe(client, PAGE)


def test_a_wrong_pattern_is_named() -> None:
    with pytest.raises(PerinatalError, match=r"is no regular expression .* correct source\.yml"):
        ProbeSpec("page", PAGE_URL, links="(")


# --- GOV.UK -----------------------------------------------------------------------------------------------


def write_content(root: Path, updated: str, *attachments: str) -> None:
    document = {
        "public_updated_at": updated,
        "details": {"attachments": [{"title": f"Report {name}", "url": name} for name in attachments]},
        "links": {"documents": [{"title": "Annex", "base_path": "/government/annex"}]},
    }
    (root / "content" / "government" / "report.json").write_text(json.dumps(document))


def test_govuk_updates_and_attachments(root: Path, client: HttpClient) -> None:
    write_content(root, "2025-01-01T00:00:00Z", "https://assets.example/media/1/a.pdf")
    first = probe(client, GOVUK)
    annex = "https://site.example/government/annex"
    assert [finding.id for finding in first.findings] == ["https://assets.example/media/1/a.pdf", annex]
    assert not probe(client, GOVUK, stored(first)).changed
    write_content(root, "2025-02-01T00:00:00Z", "https://assets.example/media/1/a.pdf")
    touched = probe(client, GOVUK, stored(first))
    assert (touched.changed, touched.findings) == (True, ())
    write_content(root, "2025-02-01T00:00:00Z", "/media/2/b.csv")
    assert [f.title for f in probe(client, GOVUK, stored(touched)).findings] == ["Report /media/2/b.csv"]


@pytest.mark.parametrize(
    "content", ["", "<html></html>", "[]", "{}", '{"public_updated_at": 1, "details": 3}', "[" * 5000]
)
def test_something_else_than_content_is_refused(root: Path, client: HttpClient, content: str) -> None:
    (root / "content" / "government" / "report.json").write_text(content)
    with pytest.raises(BadResponse, match=r"sent no GOV\.UK content document"):
        probe(client, GOVUK)


# --- Fingertips -------------------------------------------------------------------------------------------


def test_fingertips_indicators_by_upload_date(root: Path, client: HttpClient, server: FaultyPublishers) -> None:
    write_uploads(root, **{"101": "2026-01-01T00:00:00", "102": None, "500": "2026-01-01T00:00:00"})
    first = probe(client, FINGERTIPS)
    assert [finding.id for finding in first.findings] == ["101", "102"]
    assert first.warnings == ("the publisher does not have indicator(s) 999; correct source.yml",)
    server.forget()
    assert not probe(client, FINGERTIPS, stored(first)).changed
    assert server.count().bodies == 0
    write_uploads(root, **{"101": "2026-02-01T00:00:00", "102": None, "500": "2026-03-01T00:00:00"})
    second = probe(client, FINGERTIPS, stored(first))
    assert [finding.id for finding in second.findings] == ["101"]


@pytest.mark.parametrize("content", ["", "<html>", "[1]", '{"a": {}}', '{"101": 3}'])
def test_something_else_than_metadata_is_refused(root: Path, client: HttpClient, content: str) -> None:
    (root / "api" / "indicator_metadata.json").write_text(content)
    with pytest.raises(BadResponse, match="sent no indicator metadata"):
        probe(client, FINGERTIPS)
