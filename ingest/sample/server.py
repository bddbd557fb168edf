"""The sample publishers' local HTTP server: real requests, real status codes, made-up files, faults.

Every `site.json` under the root folder adds sites (host name → routes); the files it names lie beside it:

    {"sites": {"fingertips.phe.org.uk": {"routes": [
        {"path": "/api/", "fingertips": "api"},
        {"path": "/profile", "file": "profile.html"},
        {"path": "/downloads/", "folder": "files", "gzip": true,
         "fault": {"kind": "status", "status": 503, "retry_after": 1, "times": 2}}]},
      "www.gov.uk": {"routes": [{"path": "/api/content/", "govuk": "content"}]}}}

A path that ends in `/` answers for everything below it; the longest path wins. A site answers under
`http://127.0.0.1:<port>/<host name>/…`; `stand_ins()` gives the mapping for `HttpOptions.stand_ins`. Route
tables are read at the start, files at each request.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import mimetypes
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from perinatal.errors import PerinatalError

FINGERTIPS_LIMIT: Final = 100  # indicator ids of one request that are answered; the rest is dropped silently
HTML_INSTEAD: Final = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Sign in</body></html>\n"
BLOCK: Final = 1 << 16

FaultKind = Literal[
    "status",
    "reset",
    "slow",
    "hang",
    "wrong_length",
    "html",
    "header",
    "redirect_ring",
    "redirect_scheme",
    "gzip_bomb",
    "endless",
]


@dataclass
class Fault:
    """One way of going wrong, for the next `times` requests (None: all).

    `status`, `retry_after` (seconds, or a text sent as it is) for kind `status`; `after` bytes go out
    before a `reset`; `wait` seconds between the bytes of `slow`; `extra` bytes more (or fewer) are declared
    than sent for `wrong_length`; `rename` is what becomes of the first header cell for `header`; `size`
    decoded bytes of a `gzip_bomb`; `hang` never answers; `endless` never stops.
    """

    kind: FaultKind
    times: int | None = None
    status: int = 500
    retry_after: float | str | None = None
    after: int = 1000
    wait: float = 0.05
    extra: int = 100
    rename: str = "Renamed column"
    size: int = 64 << 20


@dataclass
class Hit:
    """One request. `status` is 0 as long as nothing is answered; `body_bytes` counts the body as encoded."""

    path: str
    query: str
    headers: Mapping[str, str]
    status: int = 0
    body_bytes: int = 0


@dataclass(frozen=True)
class Count:
    """Sums over the requests for one path."""

    requests: int
    bodies: int
    body_bytes: int


@dataclass(frozen=True)
class Route:
    """One line of a route table: `kind` is file, folder, fingertips or govuk; `target` a path on disk."""

    path: str
    kind: str
    target: Path
    gzip: bool = False
    media_type: str | None = None


@dataclass(frozen=True)
class Answer:
    """What a route answers before validators, ranges and faults are applied."""

    body: bytes
    media_type: str
    status: int = 200
    modified: float | None = None  # seconds since 1970


@dataclass
class _State:
    """What the server's threads share."""

    routes: list[Route]
    faults: dict[str, Fault] = field(default_factory=dict)
    hits: list[Hit] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    stopping: threading.Event = field(default_factory=threading.Event)

    def fault_for(self, path: str) -> Fault | None:
        """Return the fault that this request meets, and use one of its times up."""
        with self.lock:
            fault = self.faults.get(path)
            if fault is None or fault.times == 0:
                return None
            if fault.times is not None:
                fault.times -= 1
            return fault


class SamplePublishers:
    """The server, on a loopback port of its own. A context manager; `stop` ends every open answer."""

    def __init__(self, root: Path, port: int = 0) -> None:
        self._state = _State([])
        for site_file in sorted(root.rglob("site.json")):
            self._read_site(site_file)
        self._state.routes.sort(key=lambda route: len(route.path), reverse=True)
        handler = type("Handler", (_Handler,), {"state": self._state})
        self._server = _Server(("127.0.0.1", port), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> SamplePublishers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop listening and end slow, hanging and endless answers."""
        self._state.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def base_url(self) -> str:
        """Return `http://127.0.0.1:<port>`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def url(self, path: str) -> str:
        """Return the address of `<host name>/<path>`."""
        return f"{self.base_url}/{path.lstrip('/')}"

    def stand_ins(self) -> dict[str, str]:
        """Return real site → sample site, for `HttpOptions.stand_ins`."""
        hosts = {route.path.split("/")[1] for route in self._state.routes}
        return {f"https://{host}": self.url(host) for host in sorted(hosts)}

    def fault(self, path: str, fault: Fault | None) -> None:
        """Let requests for `/<host name>/<path>` (no query) meet a fault; None mends it."""
        with self._state.lock:
            self._state.faults.pop(_rooted(path), None)
            if fault is not None:
                self._state.faults[_rooted(path)] = fault

    def hits(self, path: str | None = None) -> list[Hit]:
        """Return the answered requests in order, all or those for one path."""
        with self._state.lock:
            return [hit for hit in self._state.hits if path is None or hit.path == _rooted(path)]

    def count(self, path: str | None = None) -> Count:
        """Return the sums over `hits(path)`."""
        hits = self.hits(path)
        return Count(len(hits), sum(hit.body_bytes > 0 for hit in hits), sum(hit.body_bytes for hit in hits))

    def forget(self) -> None:
        """Start counting anew."""
        with self._state.lock:
            self._state.hits.clear()

    def _read_site(self, site_file: Path) -> None:
        """Add the routes and faults of one `site.json`."""
        try:
            for host, site in json.loads(site_file.read_text(encoding="utf-8"))["sites"].items():
                for raw in site["routes"]:
                    kind = next(kind for kind in SERVED_BY if kind in raw)
                    path = f"/{host}{raw['path']}"
                    target = site_file.parent / raw[kind]
                    route = Route(path, kind, target, raw.get("gzip", False), raw.get("type"))
                    self._state.routes.append(route)
                    if "fault" in raw:
                        self._state.faults[path] = Fault(**raw["fault"])
        except (ValueError, KeyError, TypeError, StopIteration) as error:
            raise PerinatalError(
                f"{site_file}: not a route table ({type(error).__name__}: {error}); "
                'expected {"sites": {host: {"routes": [{"path": …, "file" (folder, fingertips, govuk): …}]}}}'
            ) from None


class _Server(ThreadingHTTPServer):
    """A thread a connection. Clients that hang up are no news; other errors are told on standard error."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of errors, but not of connections that the client broke."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection. Finds the route, then lets the fault or the validators decide what goes out."""

    protocol_version = "HTTP/1.1"
    server_version = "SamplePublishers"
    timeout = 30
    state: _State

    def do_GET(self) -> None:
        """Answer one GET; a client that hangs up is no error."""
        path = unquote(urlsplit(self.path).path)
        self.hit = Hit(path, urlsplit(self.path).query, dict(self.headers.items()))
        with self.state.lock:
            self.state.hits.append(self.hit)
        with suppress(ConnectionError, TimeoutError):
            self._answer(path, self.state.fault_for(path))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing; the hits are the log."""

    def _answer(self, path: str, fault: Fault | None) -> None:
        """Answer from the route table, or go wrong as the fault says."""
        if fault is not None and fault.kind in INSTEAD:
            INSTEAD[fault.kind](self, fault)
            return
        route = next((r for r in self.state.routes if _matches(r.path, path)), None)
        if route is None:
            answer = Answer(b"Not found", "text/plain", 404)
        else:
            answer = SERVED_BY[route.kind](route, path.removeprefix(route.path), urlsplit(self.path).query)
        if fault is not None and fault.kind in SPOILT:
            answer = SPOILT[fault.kind](answer, fault)
        self._send(answer, route, fault)

    def _send(self, answer: Answer, route: Route | None, fault: Fault | None) -> None:
        """Send an answer: 304, 206 or whole, as the request's conditions ask."""
        headers = {"Content-Type": answer.media_type}
        body, status = answer.body, answer.status
        if status == 200:
            headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
            if answer.modified is not None:
                headers["Last-Modified"] = formatdate(answer.modified, usegmt=True)
            status, body = self._conditional(body, headers)
        accepted = "gzip" in self.headers.get("Accept-Encoding", "")
        if route is not None and route.gzip and status == 200 and accepted:
            headers["Content-Encoding"] = "gzip"
            headers["ETag"] = headers["ETag"][:-1] + '-gzip"'
            body = gzip.compress(body, mtime=0)
        declared = len(body) + (fault.extra if fault is not None and fault.kind == "wrong_length" else 0)
        if status != 304:
            headers["Content-Length"] = str(declared)
        self._head(status, headers)
        BODIES.get(fault.kind if fault else "", _Handler._write)(self, body, fault)
        if declared != len(body):
            self.close_connection = True

    def _conditional(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Return (status, body) after If-None-Match, If-Modified-Since, Range and If-Range."""
        etag, modified = headers["ETag"], headers.get("Last-Modified")
        known = self.headers.get("If-None-Match")
        since = self.headers.get("If-Modified-Since")
        if known is not None:
            tags = {tag.strip().removeprefix("W/").replace('-gzip"', '"') for tag in known.split(",")}
            fresh = etag in tags or "*" in tags
        else:
            fresh = bool(since and modified and _instant(modified) <= _instant(since))
        if fresh:
            return 304, b""
        headers["Accept-Ranges"] = "bytes"
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not asked or self.headers.get("If-Range", etag) not in {etag, modified}:
            return 200, body
        start, end = int(asked[1]), min(int(asked[2] or len(body) - 1), len(body) - 1)
        if start > end:
            headers["Content-Range"] = f"bytes */{len(body)}"
            return 416, b""
        headers["Content-Range"] = f"bytes {start}-{end}/{len(body)}"
        return 206, body[start : end + 1]

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        """Send status line and headers."""
        self.hit.status = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _write(self, data: bytes, _: Fault | None = None) -> None:
        """Send body bytes; they are counted before the client can have seen them."""
        self.hit.body_bytes += len(data)
        self.wfile.write(data)

    def _write_slowly(self, data: bytes, fault: Fault) -> None:
        """Send the body byte by byte."""
        for offset in range(len(data)):
            if self.state.stopping.wait(fault.wait):
                return
            self._write(data[offset : offset + 1])

    def _write_and_reset(self, data: bytes, fault: Fault) -> None:
        """Send the first bytes, then break the connection with a reset."""
        self._write(data[: fault.after])
        self.wfile.flush()
        time.sleep(0.05)  # a reset overtakes bytes that the client has not read yet
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
        self.close_connection = True

    def _refuse(self, fault: Fault) -> None:
        """Answer with an error status and perhaps Retry-After."""
        body = f"{fault.status} on purpose".encode()
        headers = {"Content-Type": "text/plain", "Content-Length": str(len(body))}
        if fault.retry_after is not None:
            headers["Retry-After"] = str(fault.retry_after)
        self._head(fault.status, headers)
        self._write(body)

    def _hang(self, _: Fault) -> None:
        """Say nothing until the server stops."""
        self.close_connection = True
        self.state.stopping.wait()

    def _redirect(self, location: str) -> None:
        self._head(302, {"Location": location, "Content-Length": "0"})

    def _ring(self, _: Fault) -> None:
        """Send from `?a` to `?b` and back."""
        path = urlsplit(self.path).path
        self._redirect(f"{path}?{'b' if self.path.endswith('?a') else 'a'}")

    def _other_scheme(self, _: Fault) -> None:
        """Send to https."""
        self._redirect(f"https://{self.headers['Host']}{self.path}")

    def _bomb(self, fault: Fault) -> None:
        """Send zeros that expand a thousandfold."""
        body = gzip.compress(bytes(fault.size), mtime=0)
        headers = {"Content-Type": "text/csv", "Content-Encoding": "gzip", "Content-Length": str(len(body))}
        self._head(200, headers)
        self._write(body)

    def _endless(self, _: Fault) -> None:
        """Send chunks until the client has had enough."""
        self.close_connection = True
        self._head(200, {"Content-Type": "text/csv", "Transfer-Encoding": "chunked"})
        block = b"1,2,3\n" * (BLOCK // 6)
        while not self.state.stopping.is_set():
            self._write(f"{len(block):x}\r\n".encode() + block + b"\r\n")


def _rooted(path: str) -> str:
    return "/" + path.lstrip("/")


def _matches(route: str, path: str) -> bool:
    return path.startswith(route) if route.endswith("/") else path == route


def _instant(text: str) -> float:
    """Return an HTTP date as seconds since 1970; 0 if it is none."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        return 0.0


def _file(path: Path, media_type: str | None) -> Answer:
    """Return a file as it lies on disk."""
    if not path.is_file():
        return Answer(b"Not found", "text/plain", 404)
    guessed = media_type or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    charset = "; charset=utf-8" if guessed == "text/html" else ""
    return Answer(path.read_bytes(), guessed + charset, modified=path.stat().st_mtime)


def _serve_file(route: Route, _: str, __: str) -> Answer:
    return _file(route.target, route.media_type)


def _serve_folder(route: Route, rest: str, _: str) -> Answer:
    """Return a file below the route's folder; nothing outside it."""
    path = (route.target / rest).resolve()
    inside = path.is_relative_to(route.target.resolve())
    return _file(path if inside else Path(), route.media_type)


def _serve_govuk(route: Route, rest: str, _: str) -> Answer:
    """Return `<path>.json` of the content API, or its 404 document."""
    answer = _serve_folder(route, rest.strip("/") + ".json", "")
    if answer.status == 404:
        return Answer(b'{"message": "Not found"}', "application/json", 404)
    return answer


def _serve_fingertips(route: Route, rest: str, query: str) -> Answer:
    """Answer as the Fingertips API does.

    The folder holds `api.json` (`area_types`: ids that exist; `groups`, `profiles`: id → indicator ids),
    `indicator_metadata.json`, and `<child>_<parent>.csv` with the rows of every indicator for that pair of
    area types.
    """
    if rest == "indicator_metadata/all":
        return _file(route.target / "indicator_metadata.json", "application/json")
    asked = {key: values[0] for key, values in parse_qs(query, keep_blank_values=True).items()}
    listing = {
        "all_data/csv/by_indicator_id": "indicator_ids",
        "all_data/csv/by_group_id": "group_id",
        "all_data/csv/by_profile_id": "profile_id",
    }
    if rest not in listing:
        return Answer(b"Not found", "text/plain", 404)
    for required in (listing[rest], "child_area_type_id", "parent_area_type_id"):
        if not asked.get(required):
            return Answer(f"Parameter {required} cannot be empty".encode(), "text/plain", 400)
    api = json.loads((route.target / "api.json").read_text(encoding="utf-8"))
    child, parent = asked["child_area_type_id"], asked["parent_area_type_id"]
    if not {child, parent} <= {str(known) for known in api["area_types"]}:
        return Answer(b"An unexpected error occurred", "text/plain", 500)
    wanted = asked[listing[rest]].split(",")
    if listing[rest] != "indicator_ids":
        members = api.get("groups" if listing[rest] == "group_id" else "profiles", {})
        wanted = [str(indicator) for indicator in members.get(wanted[0], [])]
    body = _fingertips_rows(route.target, child, parent, set(wanted[:FINGERTIPS_LIMIT]))
    return Answer(body, "text/csv")


def _fingertips_rows(folder: Path, child: str, parent: str, wanted: set[str]) -> bytes:
    """Return the header and the rows of the wanted indicators; the header alone where there are none."""
    path = folder / f"{child}_{parent}.csv"
    header_from = path if path.is_file() else min(folder.glob("*_*.csv"))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    with header_from.open(encoding="utf-8", newline="") as handle:
        rows = csv.reader(handle)
        writer.writerow(next(rows))
        writer.writerows(row for row in rows if header_from == path and row and row[0] in wanted)
    return out.getvalue().encode()


def _as_html(_: Answer, __: Fault) -> Answer:
    return Answer(HTML_INSTEAD, "text/html; charset=utf-8")


def _with_other_header(answer: Answer, fault: Fault) -> Answer:
    """Rename the first cell of the first line."""
    head, newline, rest = answer.body.partition(b"\n")
    cells = head.split(b",")
    changed = b",".join([fault.rename.encode(), *cells[1:]])
    return Answer(changed + newline + rest, answer.media_type, answer.status, answer.modified)


SERVED_BY: Final[Mapping[str, Callable[[Route, str, str], Answer]]] = {
    "file": _serve_file,
    "folder": _serve_folder,
    "fingertips": _serve_fingertips,
    "govuk": _serve_govuk,
}
SPOILT: Final[Mapping[str, Callable[[Answer, Fault], Answer]]] = {
    "html": _as_html,
    "header": _with_other_header,
}
INSTEAD: Final[Mapping[str, Callable[[_Handler, Fault], None]]] = {
    "status": _Handler._refuse,
    "hang": _Handler._hang,
    "redirect_ring": _Handler._ring,
    "redirect_scheme": _Handler._other_scheme,
    "gzip_bomb": _Handler._bomb,
    "endless": _Handler._endless,
}
BODIES: Final[Mapping[str, Callable[[_Handler, bytes, Any], None]]] = {
    "slow": _Handler._write_slowly,
    "reset": _Handler._write_and_reset,
}
