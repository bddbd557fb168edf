"""The server: the current edition only, strict headers, nothing outside, nothing listed, new editions at once."""

import gzip
import http.client
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import made_up
import psutil
import pytest

from perinatal.errors import PerinatalError
from perinatal.home import Home
from publish import edition, serve
from publish.edition import Editions


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Site:
    def __init__(self, port: int) -> None:
        self.port = port

    def get(self, address: str, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, address, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        connection.close()
        return answer


def serving(home: Home) -> Iterator[Site]:
    server = serve.PortalServer(Editions.of(home), 0)
    thread = threading.Thread(target=server.serve_until_stopped, daemon=True)
    thread.start()
    yield Site(server.port)
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def site(made_home: Path) -> Iterator[Site]:
    restricted = (made_home / "current").resolve() / "restricted"
    restricted.mkdir(exist_ok=True)
    (restricted / "secret.txt").write_text("secret")
    (made_home / "outside.txt").write_text("secret")
    yield from serving(Home(made_home))


@pytest.fixture
def empty(home: Home) -> Iterator[Site]:
    yield from serving(home)


def test_the_front_page_is_found(site: Site) -> None:
    answer = site.get("/")
    assert (answer.status, answer.headers["Location"]) == (302, "/portal/index.html")
    assert site.get("/portal/").body == site.get("/portal/index.html").body
    assert b"Maternity and neonatal safety" in site.get("/portal/index.html").body


def test_headers_are_strict(site: Site) -> None:
    headers = site.get("/portal/index.html").headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Server"] is None


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("/portal/static/portal.css", "text/css; charset=utf-8"),
        ("/portal/static/portal.js", "text/javascript; charset=utf-8"),
        ("/portal/feed/editions.xml", "application/atom+xml; charset=utf-8"),
        ("/portal/search.json", "application/json"),
        ("/portal/api/indicators.json", "application/json"),
        ("/portal/api/organisation/R01.json", "application/json"),
        ("/downloads/trust_indicator.csv", "text/csv; charset=utf-8"),
        ("/downloads/trust_indicator.parquet", "application/vnd.apache.parquet"),
        ("/downloads/lms/QAA/QAA.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("/perinatal.duckdb", "application/octet-stream"),
        ("/quality/data_docs/index.html", "text/html; charset=utf-8"),
    ],
)
def test_what_is_open_is_served_as_what_it_is(site: Site, made: Path, address: str, kind: str) -> None:
    answer = site.get(address)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == kind
    assert answer.body == (made / address.lstrip("/")).read_bytes()


@pytest.mark.parametrize(
    "address",
    [
        "/restricted/secret.txt",
        "/portal/../restricted/secret.txt",
        "/portal/%2e%2e/restricted/secret.txt",
        "/portal/..%2frestricted%2fsecret.txt",
        "/portal/%2e%2e/%2e%2e/%2e%2e/outside.txt",
        "//etc/passwd",
        "/portal//etc/passwd",
        "/portal/..\\..\\outside.txt",
        "/portal/index.html%00.txt",
        "/downloads/",
        "/downloads/lms",
        "/portal/static",
        "/nothing",
        "/portal/nothing.html",
        "/current",
    ],
)
def test_nothing_else_is(site: Site, address: str) -> None:
    answer = site.get(address)
    assert answer.status == 404
    assert b"secret" not in answer.body
    assert b"<" not in answer.body


def test_a_link_out_of_the_edition_is_not_followed(site: Site, made: Path, made_home: Path) -> None:
    (made / "portal" / "way-out.txt").symlink_to(made_home / "outside.txt")
    assert site.get("/portal/way-out.txt").status == 404


def test_only_reading_is_possible(site: Site) -> None:
    assert site.get("/portal/index.html", "HEAD").body == b""
    assert int(site.get("/portal/index.html", "HEAD").headers["Content-Length"]) > 1000
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert site.get("/portal/index.html", method).status == 405


def test_text_is_sent_small_and_once(site: Site) -> None:
    plain = site.get("/portal/lms/QAA.html")
    small = site.get("/portal/lms/QAA.html", Accept_Encoding="gzip, br")
    assert small.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.body) == plain.body
    assert len(small.body) < len(plain.body) / 3
    again = site.get("/portal/lms/QAA.html", If_None_Match=plain.headers["ETag"])
    assert (again.status, again.body) == (304, b"")


def test_before_the_first_edition_it_says_so(empty: Site) -> None:
    answer = empty.get("/")
    assert answer.status == 503
    assert b"perinatal refresh --sample" in answer.body


def test_a_new_edition_shows_at_once(home: Home) -> None:
    made_up.edition_folder(home.root)
    for site in serving(home):
        first = site.get("/edition.json").body
        second = home.editions / "20270101T000000-another0"
        (second / "portal").mkdir(parents=True)
        (second / edition.INFO).write_text('{"edition_id": "another"}')
        Editions.of(home).point_current(second)
        assert site.get("/edition.json").body != first
        assert site.get("/portal/lms/QAA.html").status == 404


def test_a_port_in_use_is_one_clear_line(home: Home) -> None:
    first = serve.PortalServer(Editions.of(home), 0)
    with first.socket, pytest.raises(PerinatalError, match="choose another"):
        serve.PortalServer(Editions.of(home), first.port)


def test_only_names_of_this_machine_are_answered(site: Site) -> None:
    assert site.get("/portal/index.html", Host="localhost:8765").status == 200
    assert site.get("/portal/index.html", Host="rebound.example").status == 400


def test_a_name_longer_than_any_file_is_not_found(site: Site) -> None:
    assert site.get("/portal/" + "x" * 5000).status == 404


def test_large_text_is_streamed_and_clients_that_hang_up_leave_no_trace(
    site: Site, made: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    large = made / "downloads" / "large.csv"
    large.write_bytes(b"code,value\n" * 8_000_000)  # 88 MB
    try:
        before = psutil.Process().memory_info().rss
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", site.port)) as client:
                client.sendall(b"GET /downloads/large.csv HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert client.recv(1000).startswith(b"HTTP/1.1 200")
        assert site.get("/downloads/large.csv", Range="bytes=11-14").body == b"code"
        connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
        connection.request("GET", "/downloads/large.csv", headers={"Accept-Encoding": "gzip"})
        response = connection.getresponse()
        while response.read(1 << 20):
            pass
        assert psutil.Process().memory_info().rss - before < 40e6
    finally:
        large.unlink()
    assert capfd.readouterr().err == ""


def test_data_docs_ask_no_other_host_and_list_what_they_hold(tmp_path: Path) -> None:
    from publish import policy

    page = tmp_path / "validations" / "a suite" / "of now" / "one.html"
    page.parent.mkdir(parents=True)
    page.write_text('<html><head><script src="https://cdn.example/x.js"></script></head></html>')
    (tmp_path / "index.html").write_text("<html><head></head><body>\nempty without its script</body></html>")
    policy.seal(tmp_path)
    front = (tmp_path / "index.html").read_text()
    assert '<a href="validations/a%20suite/of%20now/one.html">a suite</a>' in front
    assert '<a href="expectations/a%20suite.html">' in front
    assert page.read_text().startswith(
        '<html><head><meta http-equiv="Content-Security-Policy" content="default-src \'self\''
    )
    assert "content:'Not met'" in page.read_text()
