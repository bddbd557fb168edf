"""Serve the current edition's pages and downloads on loopback: read-only, strict headers, no directory listings.

The folder layout of the edition is the address space (`/portal/…`, `/downloads/…`, `/quality/…`, `/perinatal.duckdb`),
as it is behind any web server; `/` leads to the front page. Each request looks the current edition up anew, so a new
edition shows at once and a page under way keeps the files of its own. `restricted/` is never served.
"""

from __future__ import annotations

import gzip
import mimetypes
import shutil
from functools import lru_cache, partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from perinatal.console import say
from perinatal.errors import PerinatalError
from publish import edition, policy
from publish.edition import Editions

HOST = "127.0.0.1"
FRONT = "/portal/index.html"
OPEN = ("portal", "downloads", "quality", edition.DATABASE, edition.INFO)
TYPES = {
    ".xml": "application/atom+xml; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
    ".duckdb": "application/octet-stream",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".sql": "text/plain; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
TEXT = ("text/", "application/json", "application/atom+xml", "image/svg+xml")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-cache",
}
NOT_YET = "No edition is published yet: run `perinatal refresh --sample`, or land files and run `perinatal build`.\n"


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD from the current edition."""

    server_version = "perinatal"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 30

    def __init__(self, editions: Editions, *arguments: object) -> None:
        self.editions = editions
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Send a file."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Send a file's headers."""
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        address = urlsplit(self.path).path
        current = self.editions.current()
        if current is None:
            self._send_text(HTTPStatus.SERVICE_UNAVAILABLE, NOT_YET, body=body)
        elif address == "/":
            self._start(HTTPStatus.FOUND, "text/plain", 0, Location=FRONT)
        elif (found := find(current, address)) is None:
            self._send_text(HTTPStatus.NOT_FOUND, "Not found.\n", body=body)
        else:
            self._send(current, found, body=body)

    def _send(self, current: Path, path: Path, *, body: bool) -> None:
        kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        if kind == "text/html":
            kind += "; charset=utf-8"
        facts = path.stat()
        etag = f'"{current.name}-{facts.st_size:x}-{facts.st_mtime_ns:x}"'
        allowed = policy.DATA_DOCS if path.is_relative_to(current / "quality") else policy.PAGES
        more = {"ETag": etag, "Content-Security-Policy": f"{allowed}; frame-ancestors 'none'"}
        if self.headers.get("If-None-Match") == etag:
            self._start(HTTPStatus.NOT_MODIFIED, kind, None, **more)
        elif kind.startswith(TEXT):
            text, encoding = _text(path, facts.st_mtime_ns, self._takes_gzip())
            self._start(HTTPStatus.OK, kind, len(text), **more, **encoding)
            if body:
                self.wfile.write(text)
        else:
            self._start(HTTPStatus.OK, kind, facts.st_size, **more)
            if body:
                with path.open("rb") as file:
                    shutil.copyfileobj(file, self.wfile)

    def _takes_gzip(self) -> bool:
        return "gzip" in self.headers.get("Accept-Encoding", "")

    def _send_text(self, status: HTTPStatus, text: str, *, body: bool) -> None:
        message = text.encode()
        self._start(status, "text/plain; charset=utf-8", len(message))
        if body:
            self.wfile.write(message)

    def _start(self, status: HTTPStatus, kind: str, length: int | None, **more: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in {**HEADERS, **{key.replace("_", "-"): value for key, value in more.items()}}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: nobody's reading is recorded."""


@lru_cache(maxsize=512)
def _text(path: Path, changed: int, small: bool) -> tuple[bytes, dict[str, str]]:  # noqa: ARG001
    """Return a text file, small where the reader takes it so; a file that has `changed` since is read anew."""
    content = path.read_bytes()
    if not small or len(content) < 1000:
        return content, {"Vary": "Accept-Encoding"}
    return gzip.compress(content, 6, mtime=0), {"Content_Encoding": "gzip", "Vary": "Accept-Encoding"}


def find(current: Path, address: str) -> Path | None:
    """Return the file that an address names, or None: only files, only of what is open, never outside the edition."""
    parts = [part for part in unquote(address).split("/") if part not in ("", ".")]
    if not parts or parts[0] not in OPEN or any(part == ".." or "\\" in part or "\0" in part for part in parts):
        return None
    path = current.joinpath(*parts)
    if path.is_dir():
        path /= "index.html"
    found = path.resolve()
    return found if found.is_file() and found.is_relative_to(current.resolve()) else None


def make_server(editions: Editions, port: int) -> ThreadingHTTPServer:
    """Return a server that is bound and not yet serving; port 0 takes any free one."""
    try:
        server = ThreadingHTTPServer((HOST, port), partial(Handler, editions))
    except OSError as error:
        raise PerinatalError(
            f"port {port} cannot be used ({error.strerror}): choose another with `perinatal portal --port N`"
        ) from None
    server.daemon_threads = True
    return server


def serve(editions: Editions, port: int) -> None:
    """Serve until stopped; prints the address."""
    with make_server(editions, port) as server:
        print(f"http://{HOST}:{server.server_port}/", flush=True)
        say("The pages of the current edition, read-only, on this machine only. Stop with Ctrl-C.")
        server.serve_forever()
