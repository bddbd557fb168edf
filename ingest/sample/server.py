"""The sample publishers' local HTTP server: real requests and status codes, made-up files.

Its route tables are read at the start (`site_routes.py`), files at each request. A site answers under
`http://127.0.0.1:<port>/<host name>/…`; `stand_ins()` gives the mapping for `HttpOptions.stand_ins`.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

from ingest.sample.answers import NOT_FOUND, Answer
from ingest.sample.site_routes import Route, routes_below


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


class Server(ThreadingHTTPServer):
    """A thread a connection, and what they share: the routes and the log of requests."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[Handler], root: Path) -> None:
        self.routes = routes_below(root)
        self.hits: list[Hit] = []
        self.lock = threading.Lock()
        super().__init__(address, handler)

    def route_for(self, path: str) -> Route | None:
        """Return the route that answers for a path."""
        return next((route for route in self.routes if route.fits(path)), None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report errors on standard error, except connections that the client closed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection. Finds the route, then answers 200, 206 or 304 as the request's conditions ask."""

    protocol_version = "HTTP/1.1"
    server_version = "SamplePublishers"
    timeout = 30
    server: Server

    def do_GET(self) -> None:
        """Answer one GET; a client that hangs up is no error."""
        self.url_path = unquote(urlsplit(self.path).path)
        self.hit = Hit(self.url_path, urlsplit(self.path).query, dict(self.headers.items()))
        with self.server.lock:
            self.server.hits.append(self.hit)
        with suppress(ConnectionError, TimeoutError):
            self.respond()

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing; the hits are the log."""

    def respond(self) -> None:
        """Answer from the route table."""
        route = self.server.route_for(self.url_path)
        answer = route.answer(self.url_path, self.hit.query) if route else NOT_FOUND
        self.send_answer(answer, packed=route is not None and route.gzip)

    def send_answer(self, answer: Answer, *, packed: bool) -> None:
        """Send an answer whole, in part, or 304; compressed where the route and the client want it."""
        headers = {"Content-Type": answer.media_type}
        body, status = answer.body, answer.status
        if status == 200:
            headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
            if answer.modified is not None:
                headers["Last-Modified"] = formatdate(answer.modified, usegmt=True)
            status, body = self._conditional(body, headers)
        if packed and status == 200 and "gzip" in self.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            headers["ETag"] = headers["ETag"][:-1] + '-gzip"'
            body = gzip.compress(body, mtime=0)
        if status != 304:
            headers["Content-Length"] = str(len(body))
        self.send_head(status, headers)
        self.send_body(body)

    def send_head(self, status: int, headers: Mapping[str, str]) -> None:
        """Send status line and headers."""
        self.hit.status = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def send_body(self, data: bytes) -> None:
        """Send body bytes; they are counted before the client can have seen them."""
        self.hit.body_bytes += len(data)
        self.wfile.write(data)

    def _conditional(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Return (status, body) after If-None-Match, If-Modified-Since, Range and If-Range."""
        etag, modified = headers["ETag"], headers.get("Last-Modified")
        if self._is_known(etag, modified):
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

    def _is_known(self, etag: str, modified: str | None) -> bool:
        """Tell whether the client has this version, by If-None-Match, else by If-Modified-Since."""
        known, since = self.headers.get("If-None-Match"), self.headers.get("If-Modified-Since")
        if known is not None:
            tags = {tag.strip().removeprefix("W/").replace('-gzip"', '"') for tag in known.split(",")}
            return etag in tags or "*" in tags
        return bool(since and modified and _instant(modified) <= _instant(since))


class SamplePublishers:
    """The server on a loopback port, with its log of requests. A context manager."""

    server_class: ClassVar[type[Server]] = Server
    handler_class: ClassVar[type[Handler]] = Handler

    def __init__(self, root: Path, port: int = 0) -> None:
        self._server = self.server_class(("127.0.0.1", port), self.handler_class, root)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> SamplePublishers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop listening."""
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
        return {f"https://{host}": self.url(host) for host in sorted({route.host for route in self._server.routes})}

    def hits(self, path: str | None = None) -> list[Hit]:
        """Return the requests in order, all or those for `/<host name>/<path>` (without query)."""
        with self._server.lock:
            return [hit for hit in self._server.hits if path is None or hit.path == "/" + path.lstrip("/")]

    def count(self, path: str | None = None) -> Count:
        """Return the sums over `hits(path)`."""
        hits = self.hits(path)
        return Count(len(hits), sum(hit.body_bytes > 0 for hit in hits), sum(hit.body_bytes for hit in hits))

    def forget(self) -> None:
        """Start counting from nothing."""
        with self._server.lock:
            self._server.hits.clear()


def _instant(text: str) -> float:
    """Return an HTTP date as seconds since 1970; 0 if it is none."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        return 0.0
