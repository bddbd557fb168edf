"""The HTTP client against a real loopback server that behaves well and badly."""

import datetime as dt
import hashlib
import ipaddress
import json
import logging
import multiprocessing
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from faulty_publishers import Fault, FaultyPublishers

from ingest.fetch.http import (
    BadResponse,
    Document,
    Fetched,
    HttpClient,
    HttpOptions,
    NotModified,
    PublisherUnavailable,
    Validators,
    public_url,
)
from ingest.fetch.http.destinations import asked_url, redirected_url
from ingest.fetch.http.guarded import is_public
from perinatal.errors import PerinatalError

BODY = b"Area,Value\n" + b"".join(f"E{i:05},{i / 7:.3f}\n".encode() for i in range(4000))
QUICK = HttpOptions(
    contact="https://example.org/us",
    connect_timeout=1,
    read_timeout=0.5,
    total_timeout=5,
    attempts=3,
    backoff=0.01,
    delay=0,
    max_bytes=1 << 20,
)
FILE = "site.example/files/data.csv"
URL = "https://site.example/files/data.csv"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FaultyPublishers]:
    root = tmp_path / "site"
    (root / "files").mkdir(parents=True)
    (root / "files" / "data.csv").write_bytes(BODY)
    (root / "files" / "other.csv").write_bytes(b"a,b\n1,2\n")
    routes = [{"path": "/files/", "folder": "files"}, {"path": "/packed/", "folder": "files", "gzip": True}]
    sites = {"site.example": {"routes": routes}, "second.example": {"routes": routes}}
    (root / "site.json").write_text(json.dumps({"sites": sites}))
    with FaultyPublishers(root) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "archive").mkdir()
    return tmp_path / "archive"


def client(server: FaultyPublishers, **changes: object) -> HttpClient:
    return HttpClient(replace(QUICK, stand_ins=server.stand_ins(), **changes))  # type: ignore[arg-type]


def local(base: str, **changes: object) -> HttpClient:
    """Return a client that may ask this server on loopback, and no other."""
    return HttpClient(replace(QUICK, stand_ins={base: base}, **changes))  # type: ignore[arg-type]


def fetch(server: FaultyPublishers, folder: Path, url: str = URL, **changes: object) -> Fetched:
    with client(server, **changes) as http:
        fetched = http.fetch(url, folder)
    assert isinstance(fetched, Fetched)
    return fetched


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


# --- what comes back --------------------------------------------------------------------------------------


def test_a_file_comes_whole_with_its_hash_and_validators(server: FaultyPublishers, folder: Path) -> None:
    fetched = fetch(server, folder)
    assert fetched.path.parent == folder
    assert fetched.path.read_bytes() == BODY
    assert fetched.sha256 == hashlib.sha256(BODY).hexdigest()
    assert (fetched.size, fetched.status, fetched.content_type) == (len(BODY), 200, "text/csv")
    assert fetched.url == URL  # the publisher's own address, though a stand-in was asked
    assert fetched.etag
    assert fetched.last_modified
    [hit] = server.hits(FILE)
    assert hit.headers["User-Agent"] == "perinatal-insights (+https://example.org/us)"


def test_an_unchanged_file_is_not_sent_again(server: FaultyPublishers, folder: Path) -> None:
    with client(server) as http:
        first = http.fetch(URL, folder)
        assert isinstance(first, Fetched)
        server.forget()
        again = http.fetch(URL, folder, first.validators)
        by_date = http.fetch(URL, folder, Validators(last_modified=first.last_modified))
    assert again == NotModified(URL, first.validators)
    assert isinstance(by_date, NotModified)
    assert server.count(FILE).bodies == 0
    assert leftovers(folder) == [first.path.name]


def test_a_304_that_was_not_asked_for_is_refused(server: FaultyPublishers, folder: Path) -> None:
    server.fault(FILE, Fault("status", status=304))
    with pytest.raises(BadResponse, match="answers 304"):
        fetch(server, folder)


def test_small_documents_come_into_memory(server: FaultyPublishers) -> None:
    with client(server) as http:
        document = http.read(URL)
        with pytest.raises(BadResponse, match="larger than the limit"):
            http.read(URL, max_bytes=100)
    assert isinstance(document, Document)
    assert document.content == BODY


def test_gzip_is_decoded_and_the_hash_is_of_the_content(server: FaultyPublishers, folder: Path) -> None:
    fetched = fetch(server, folder, "https://site.example/packed/data.csv")
    assert fetched.path.read_bytes() == BODY
    assert server.count().body_bytes < len(BODY) / 2


# --- broken and slow bodies -------------------------------------------------------------------------------


def test_a_broken_body_is_resumed(server: FaultyPublishers, folder: Path) -> None:
    server.fault(FILE, Fault("reset", after=20_000, times=1))
    fetched = fetch(server, folder)
    assert fetched.path.read_bytes() == BODY
    assert fetched.sha256 == hashlib.sha256(BODY).hexdigest()
    first, second = server.hits(FILE)
    assert second.headers["Range"] == "bytes=20000-"
    assert second.headers["If-Range"] == fetched.etag
    assert second.status == 206
    assert first.body_bytes + second.body_bytes == len(BODY)


def test_a_file_that_changes_between_the_tries_starts_anew(server: FaultyPublishers, folder: Path) -> None:
    changed, data = BODY[::-1], folder.parent / "site" / "files" / "data.csv"
    server.fault(FILE, Fault("reset", after=20_000, times=1, then=lambda: data.write_bytes(changed)))
    fetched = fetch(server, folder)
    assert fetched.path.read_bytes() == changed
    assert fetched.sha256 == hashlib.sha256(changed).hexdigest()


def test_a_part_of_another_version_is_thrown_away(server: FaultyPublishers, folder: Path) -> None:
    second = Fault("other_part", times=1)
    server.fault(FILE, Fault("reset", after=20_000, times=1, then=lambda: server.fault(FILE, second)))
    fetched = fetch(server, folder)
    assert fetched.path.read_bytes() == BODY
    assert [hit.status for hit in server.hits(FILE)] == [200, 206, 200]
    assert "Range" not in server.hits(FILE)[2].headers


@pytest.mark.parametrize("after", [0, 5, 5000])
def test_a_compressed_body_that_ends_early_without_a_length_is_refused(
    server: FaultyPublishers, folder: Path, after: int
) -> None:
    server.fault(FILE, Fault("cut_gzip", after=after))
    with pytest.raises(PublisherUnavailable, match=r"compressed body.*, 3 times; the next run tries again") as caught:
        fetch(server, folder)
    assert caught.value.reason == "broken"
    assert leftovers(folder) == []


def test_a_whole_compressed_body_without_a_length_is_taken(server: FaultyPublishers, folder: Path) -> None:
    server.fault(FILE, Fault("cut_gzip", after=len(BODY)))
    assert fetch(server, folder).path.read_bytes() == BODY


def test_a_compressed_body_that_breaks_is_fetched_whole(server: FaultyPublishers, folder: Path) -> None:
    server.fault("site.example/packed/data.csv", Fault("reset", after=5000, times=1))
    fetched = fetch(server, folder, "https://site.example/packed/data.csv")
    assert fetched.path.read_bytes() == BODY
    assert "Range" not in server.hits()[1].headers


@pytest.mark.parametrize("fault", [Fault("reset", after=20), Fault("wrong_length"), Fault("hang")])
def test_a_body_that_never_comes_whole_leaves_nothing(server: FaultyPublishers, folder: Path, fault: Fault) -> None:
    server.fault(FILE, fault)
    with pytest.raises(PublisherUnavailable, match=r"site\.example: .*3 times; the next run tries again"):
        fetch(server, folder, read_timeout=0.2)
    assert server.count(FILE).requests == 3
    assert leftovers(folder) == []


def test_a_wrong_length_once_heals(server: FaultyPublishers, folder: Path) -> None:
    server.fault(FILE, Fault("wrong_length", times=1))
    assert fetch(server, folder).path.read_bytes() == BODY


def test_dripping_bytes_end_at_the_total_time(server: FaultyPublishers, folder: Path) -> None:
    server.fault(FILE, Fault("slow", wait=0.02))
    with pytest.raises(PublisherUnavailable, match="did not finish in the time allowed"):
        fetch(server, folder, total_timeout=0.6)
    assert leftovers(folder) == []


def test_an_endless_body_ends_at_the_size_limit(server: FaultyPublishers, folder: Path) -> None:
    server.fault(FILE, Fault("endless"))
    with pytest.raises(BadResponse, match="larger than the limit of 1,048,576 bytes") as caught:
        fetch(server, folder)
    assert caught.value.reason == "too_large"
    assert server.count(FILE).requests == 1
    assert leftovers(folder) == []


def test_a_declared_size_over_the_limit_is_refused_at_once(server: FaultyPublishers, folder: Path) -> None:
    with pytest.raises(BadResponse, match="larger than the limit"):
        fetch(server, folder, max_bytes=1000)


def test_a_gzip_bomb_is_refused(server: FaultyPublishers, folder: Path) -> None:
    server.fault(FILE, Fault("gzip_bomb"))
    with pytest.raises(BadResponse, match="expands more than 200 times") as caught:
        fetch(server, folder, max_bytes=1 << 30)
    assert caught.value.reason == "gzip_bomb"
    assert leftovers(folder) == []


@contextmanager
def pauses() -> Iterator[list[float]]:
    """Give the pauses that the client takes, in seconds; none of them is waited."""
    taken: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", taken.append)
        yield taken


# --- statuses, retries, politeness ------------------------------------------------------------------------


def test_errors_of_the_moment_are_tried_again(server: FaultyPublishers, folder: Path) -> None:
    server.fault(FILE, Fault("status", status=500, times=2))
    assert fetch(server, folder).size == len(BODY)
    assert [hit.status for hit in server.hits(FILE)] == [500, 500, 200]


def test_errors_that_stay_say_what_the_publisher_said(server: FaultyPublishers, folder: Path) -> None:
    server.fault(FILE, Fault("status", status=503))
    with pytest.raises(PublisherUnavailable) as caught:
        fetch(server, folder)
    assert str(caught.value) == (
        f'site.example: answers 503 for {URL} (it says "503 on purpose"), 3 times; the next run tries again'
    )
    assert (caught.value.status, caught.value.tries, caught.value.host) == (503, 3, "site.example")


def test_a_missing_page_is_not_tried_again(server: FaultyPublishers, folder: Path) -> None:
    with pytest.raises(BadResponse, match=r"site\.example: answers 404 for .*correct it in source\.yml") as caught:
        fetch(server, folder, "https://site.example/files/gone.csv")
    assert caught.value.reason == "status_404"
    assert server.count().requests == 1


def test_retry_after_seconds_are_waited(server: FaultyPublishers, folder: Path) -> None:
    server.fault(FILE, Fault("status", status=429, retry_after=1, times=1))
    with pauses() as taken:
        fetch(server, folder)
    assert max(taken) == 1.0


def test_retry_after_may_be_a_date(server: FaultyPublishers, folder: Path) -> None:
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=100)
    server.fault(FILE, Fault("status", status=503, retry_after=format_datetime(soon, usegmt=True), times=1))
    with pauses() as taken:
        fetch(server, folder, total_timeout=1000, retry_after_max=300)
    assert 0 < max(taken) <= 100


@pytest.mark.parametrize("asked", [3600, "nonsense"])
def test_retry_after_too_long_or_senseless(server: FaultyPublishers, folder: Path, asked: float | str) -> None:
    server.fault(FILE, Fault("status", status=503, retry_after=asked))
    with pytest.raises(PublisherUnavailable) as caught:
        fetch(server, folder)
    assert server.count(FILE).requests == (1 if asked == 3600 else 3)
    assert caught.value.retry_after == (3600 if asked == 3600 else None)


def test_one_connection_a_host_and_a_pause_between(server: FaultyPublishers, folder: Path) -> None:
    server.fault(FILE, Fault("slow", wait=0.001))
    (folder.parent / "site" / "files" / "data.csv").write_bytes(b"x" * 100)
    with client(server, delay=0.2) as http:
        started = time.monotonic()
        threads = [threading.Thread(target=http.fetch, args=(URL, folder)) for _ in range(3)]
        for thread in threads:
            thread.start()
        other = http.fetch("https://second.example/files/data.csv", folder)
        assert any(thread.is_alive() for thread in threads)  # another host does not wait
        for thread in threads:
            thread.join()
    assert isinstance(other, Fetched)
    took = time.monotonic() - started
    assert took > 2 * 0.3  # three bodies of 0.1 s, two pauses of 0.2 s


def _hold(lock_folder: Path, base: str, stand_ins: dict[str, str], folder: Path) -> None:
    with HttpClient(replace(QUICK, stand_ins=stand_ins, lock_folder=lock_folder)) as http:
        http.fetch(base, folder)


def test_the_rule_holds_across_processes(server: FaultyPublishers, folder: Path) -> None:
    server.fault(FILE, Fault("slow", wait=0.01, times=1))
    (folder.parent / "site" / "files" / "data.csv").write_bytes(b"x" * 100)
    context = multiprocessing.get_context("fork")
    other = context.Process(target=_hold, args=(folder / "locks", URL, server.stand_ins(), folder))
    other.start()
    while not server.hits(FILE):
        time.sleep(0.01)
    started = time.monotonic()
    fetch(server, folder, lock_folder=folder / "locks")
    assert time.monotonic() - started > 0.3
    other.join()
    with pytest.raises(PublisherUnavailable, match="did not finish"):
        fetch(server, folder, lock_folder=folder / "locks", total_timeout=0)


# --- redirects --------------------------------------------------------------------------------------------


class _Redirects(BaseHTTPRequestHandler):
    """`/<n>` redirects to `/<n-1>`, `/to?<location>` anywhere, `/0` answers."""

    def do_GET(self) -> None:
        target = self.path.removeprefix("/to?") if self.path.startswith("/to?") else None
        if target is None and self.path != "/0":
            target = f"/{int(self.path[1:]) - 1}"
        self.send_response(302 if target else 200)
        if target:
            self.send_header("Location", target)
        self.send_header("Content-Length", "0" if target else "2")
        self.end_headers()
        self.wfile.write(b"" if target else b"ok")

    def log_message(self, *_: object) -> None: ...


def serve(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), handler) as running:
        if context:
            running.socket = context.wrap_socket(running.socket, server_side=True)
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def redirects() -> Iterator[str]:
    for running in serve(_Redirects):
        yield f"http://127.0.0.1:{running.server_port}"


def test_redirects_are_followed_within_the_limit(redirects: str) -> None:
    with local(redirects) as http:
        document = http.read(f"{redirects}/5")
        assert isinstance(document, Document)
        assert (document.content, document.url) == (b"ok", f"{redirects}/0")
        with pytest.raises(BadResponse, match="redirects more than 5 times"):
            http.read(f"{redirects}/6")


@pytest.mark.parametrize("target", ["https://127.0.0.1:1/x", "ftp://127.0.0.1/x", "file:///etc/passwd"])
def test_redirects_never_change_the_scheme(redirects: str, target: str) -> None:
    with local(redirects) as http, pytest.raises(BadResponse, match="redirects from http to") as caught:
        http.read(f"{redirects}/to?{target}")
    assert caught.value.reason == "redirect_scheme"


def test_redirects_never_carry_credentials(redirects: str) -> None:
    with local(redirects) as http, pytest.raises(BadResponse) as caught:
        http.read(f"{redirects}/to?{redirects.replace('http://', 'http://user:pass@')}/0")
    assert "pass@" not in str(caught.value)


def test_rings_and_other_schemes_of_a_sample_publisher(server: FaultyPublishers, folder: Path) -> None:
    server.fault(FILE, Fault("redirect_ring"))
    with pytest.raises(BadResponse, match="redirects in a circle"):
        fetch(server, folder)
    server.fault(FILE, Fault("redirect_scheme"))
    with pytest.raises(BadResponse, match="redirects from http to https"):
        fetch(server, folder)


# --- where it may go --------------------------------------------------------------------------------------


class _Counted(_Redirects):
    """The same, with a count of all that was ever sent here."""

    hits: list[str]

    def do_GET(self) -> None:
        self.hits.append(self.path)
        super().do_GET()


@pytest.fixture
def second() -> Iterator[str]:
    """Another server on loopback, which nobody should ask."""
    _Counted.hits = []
    for running in serve(_Counted):
        yield f"http://127.0.0.1:{running.server_port}"


def names_lead_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name resolve to these addresses, one look-up after the other: a resolver that an attacker runs."""
    left = list(addresses)
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *rest: object, **more: object) -> object:
        address = left.pop(0) if len(left) > 1 else left[0]
        return real(address if host.endswith(".example") else host, port, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def test_a_private_address_is_sent_nothing(second: str) -> None:
    for base in (second, second.replace("127.0.0.1", "localhost")):
        with (
            HttpClient(QUICK) as http,
            pytest.raises(BadResponse, match=r"127\.0\.0\.1, which is not a public") as caught,
        ):
            http.read(f"{base}/0")
        assert caught.value.reason == "private_address"
    assert _Counted.hits == []


def test_a_name_that_leads_inside_is_refused_whatever_it_led_to_before(
    second: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = second.rpartition(":")[2]
    names_lead_to(monkeypatch, "127.0.0.1")
    assert socket.getaddrinfo("8.8.8.8", 80)  # other names are as they were
    name = f"publisher.example:{port}"
    with HttpClient(QUICK).within({name}) as http, pytest.raises(BadResponse, match="not a public address"):
        http.read(f"http://{name}/0")
    assert _Counted.hits == []


def test_only_the_stand_ins_own_port_is_exempt(redirects: str, second: str) -> None:
    with local(redirects) as http:
        with pytest.raises(BadResponse, match="not a public address"):
            http.read(f"{redirects}/to?{second}/0")
        # a longer port begins with the same letters
        with pytest.raises(BadResponse, match="not a web address"):
            http.read(f"{redirects}/to?{redirects}0/0")
        assert isinstance(http.read(f"{redirects}/1"), Document)
    assert _Counted.hits == []


def test_a_longer_port_is_not_a_stand_ins() -> None:
    options = replace(QUICK, stand_ins={"https://site.example": "http://127.0.0.1:808/site.example"})
    assert asked_url("https://site.example/a?b=c", options) == "http://127.0.0.1:808/site.example/a?b=c"
    assert asked_url("https://site.example", options) == "http://127.0.0.1:808/site.example"
    for other in ("https://site.example.org/a", "https://site.example:8443/a", "http://site.example/a"):
        assert asked_url(other, options) == other
    back = "http://127.0.0.1:808/site.example/b"
    assert redirected_url("https://site.example/a", back, options) == "https://site.example/b"
    for other in ("http://127.0.0.1:8080/site.example/b", "http://127.0.0.1:808/site.example.org/b"):
        assert redirected_url("https://site.example/a", other, options) == other
        with pytest.raises(BadResponse, match="not on a host of this source"):
            redirected_url("https://site.example/a", other, options, {"site.example"})


def test_a_client_that_is_bound_asks_its_hosts_alone(server: FaultyPublishers, redirects: str, folder: Path) -> None:
    with client(server) as whole:
        bound = whole.within({"site.example"})
        assert isinstance(bound.fetch(URL, folder), Fetched)
        with pytest.raises(BadResponse, match="not on a host of this source") as caught:
            bound.fetch("https://second.example/files/data.csv", folder)
        assert isinstance(whole.fetch("https://second.example/files/data.csv", folder), Fetched)
    assert "add the host to `hosts`" in str(caught.value)
    name = redirects.removeprefix("http://")
    with local(redirects) as http, pytest.raises(BadResponse, match=r"elsewhere\.example/x is not on a host") as caught:
        http.within({name}).read(f"{redirects}/to?http://elsewhere.example/x")
    assert caught.value.reason == "other_host"


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1"),
        *("192.0.2.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1"),
        *("ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::a00:1", "2001:db8::1"),
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)


# --- TLS, proxies, secrets --------------------------------------------------------------------------------


def certificate(folder: Path) -> Path:
    """Write a self-signed certificate for 127.0.0.1 with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "cert.pem"
    path.write_bytes(made.public_bytes(encoding) + private)
    return path


class _Ok(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None: ...


def test_tls_is_verified_and_the_ca_bundle_honoured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle)
    for running in serve(_Ok, context):
        url = f"https://127.0.0.1:{running.server_port}/"
        with local(url) as http, pytest.raises(PublisherUnavailable, match="certificate") as caught:
            http.read(url)
        assert caught.value.tries == 1
        with local(url, ca_bundle=str(bundle)) as http:
            assert isinstance(http.read(url), Document)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
        with local(url) as http:
            assert isinstance(http.read(url), Document)


def test_a_missing_ca_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(PerinatalError, match="CA bundle is not there"):
        HttpClient(replace(QUICK, ca_bundle=str(tmp_path / "none.pem")))


class _Proxy(_Ok):
    """Answers `ok` for whatever address it is asked; the addresses are kept."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()


def test_proxies_are_honoured_but_not_for_loopback(redirects: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    _Proxy.asked = []
    for running in serve(_Proxy):
        proxy = f"http://user:hunter2@127.0.0.1:{running.server_port}"
        with local(redirects, proxies={"http": proxy}) as http:
            http.read("http://publisher.invalid/a")
            http.read(f"{redirects}/0")
        monkeypatch.setenv("http_proxy", proxy)
        with HttpClient(QUICK) as http:
            http.read("http://publisher.invalid/b")
        with (
            HttpClient(replace(QUICK, no_proxy="publisher.invalid")) as http,
            pytest.raises(PublisherUnavailable),
        ):
            http.read("http://publisher.invalid/c")
    assert _Proxy.asked == ["http://publisher.invalid/a", "http://publisher.invalid/b"]


def test_no_credentials_in_errors_logs_or_options(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    options = replace(QUICK, attempts=2, proxies={"http": "http://user:hunter2@127.0.0.1:1"})
    with HttpClient(options) as http:
        with pytest.raises(PublisherUnavailable) as caught:
            http.read("http://publisher.invalid/a?token=hunter2")
        with pytest.raises(BadResponse, match="carries a user name") as refused:
            http.read("http://user:hunter2@publisher.invalid/a")
    told = f"{caught.value!r} {caught.value.__cause__!r} {refused.value!r} {options!r} {caught.value.url}"
    assert "hunter2" not in told + caplog.text


@pytest.mark.parametrize("url", ["ftp://a.example/x", "file:///etc/passwd", "no address", "http:///x", ""])
def test_only_web_addresses_are_asked(url: str) -> None:
    with HttpClient(QUICK) as http, pytest.raises(BadResponse, match="is not a web address"):
        http.read(url)


def test_addresses_are_shown_without_secrets() -> None:
    shown = public_url("https://u:p@a.example:8443/x?indicator_ids=1,2&X-Amz-Signature=abc#frag")
    assert shown == "https://a.example:8443/x?indicator_ids=1,2&X-Amz-Signature=***"


def test_nobody_at_home(folder: Path) -> None:
    with (
        HttpClient(QUICK) as http,
        pytest.raises(PublisherUnavailable, match=r"127\.0\.0\.1:1: no connection"),
    ):
        http.fetch("http://127.0.0.1:1/x", folder)


def test_a_folder_that_cannot_be_written_is_named(server: FaultyPublishers, tmp_path: Path) -> None:
    with pytest.raises(PerinatalError, match="cannot keep what"):
        fetch(server, tmp_path / "none")
