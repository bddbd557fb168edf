"""Serve the current edition's pages and downloads on loopback: read-only, strict headers, no directory listings.

The folder layout of the edition is the address space (`/portal/…`, `/downloads/…`, `/quality/…`, `/perinatal.duckdb`),
as it is behind any web server; `/` leads to the front page. Each request looks the current edition up anew, so a new
edition shows at once and a page under way keeps the files of its own. `restricted/` is never served. Files are
streamed, so memory does not grow with them; only requests for this machine's own names are answered. What monitoring
asks (`/healthz`, `/metrics`) is handed in by whoever starts the server.
"""

from __future__ import annotations

import mimetypes
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote

import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from perinatal.console import say
from perinatal.errors import PerinatalError
from publish import edition, policy
from publish.edition import Editions

HOST = "127.0.0.1"
NAMES = [HOST, "localhost"]  # a page of another site that has its name resolve to this machine is refused
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
Said = tuple[str, Callable[[], str]]  # what an address answers beside files: its media type, and what gives the text
QUIET_SECONDS = 30  # after which an idle connection is closed
STOP_SECONDS = 3  # that answers under way get at the end


class Pages:
    """The current edition as an ASGI application: answers GET and HEAD."""

    def __init__(self, editions: Editions, beside: Mapping[str, Said]) -> None:
        self.editions = editions
        self.beside = beside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answer = await run_in_threadpool(self.answer, Request(scope))
        await answer(scope, receive, send)

    def answer(self, request: Request) -> ASGIApp:
        """Return a file of the current edition, or why there is none."""
        current = self.editions.current()
        if request.method not in ("GET", "HEAD"):
            return PlainTextResponse("Files can only be read here.\n", 405, {**HEADERS, "Allow": "GET, HEAD"})
        if said := self.beside.get(request.scope["path"]):
            return Response(said[1](), media_type=said[0], headers={**HEADERS, "Cache-Control": "no-store"})
        if current is None:
            return PlainTextResponse(NOT_YET, 503, HEADERS)
        address = request.scope["raw_path"].decode("latin-1")
        if address == "/":
            return RedirectResponse(FRONT, 302, HEADERS)
        found = find(current, address)
        return _file(request, current, found) if found else PlainTextResponse("Not found.\n", 404, HEADERS)


def _file(request: Request, current: Path, path: Path) -> ASGIApp:
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    facts = path.stat()
    etag = f'"{current.name}-{facts.st_size:x}-{facts.st_mtime_ns:x}"'
    allowed = policy.DATA_DOCS if path.is_relative_to(current / "quality") else policy.PAGES
    headers = {**HEADERS, "ETag": etag, "Content-Security-Policy": f"{allowed}; frame-ancestors 'none'"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    whole = FileResponse(path, media_type=kind, headers=headers, stat_result=facts)
    is_small = kind.startswith(TEXT) and "range" not in request.headers
    return GZipMiddleware(whole, minimum_size=1000, compresslevel=6) if is_small else whole


def find(current: Path, address: str) -> Path | None:
    """Return the file that an address names, or None: only files, only of what is open, never outside the edition."""
    parts = [part for part in unquote(address).split("/") if part not in ("", ".")]
    if not parts or parts[0] not in OPEN or any(part == ".." or "\\" in part or "\0" in part for part in parts):
        return None
    path = current.joinpath(*parts)
    try:
        found = (path / "index.html" if path.is_dir() else path).resolve()
        is_there = found.is_file()
    except OSError:  # a name longer than any file can have
        return None
    return found if is_there and found.is_relative_to(current.resolve()) else None


class PortalServer(uvicorn.Server):
    """A server that is bound to a loopback port; `serve` answers until it is stopped."""

    def __init__(self, editions: Editions, port: int, beside: Mapping[str, Said] = MappingProxyType({})) -> None:
        super().__init__(
            uvicorn.Config(
                TrustedHostMiddleware(Pages(editions, beside), NAMES, www_redirect=False),
                lifespan="off",
                log_level="critical",
                access_log=False,  # nobody's reading is recorded
                server_header=False,
                timeout_keep_alive=QUIET_SECONDS,
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        )
        self.socket = _bound(port)
        self.port: int = self.socket.getsockname()[1]

    def serve_until_stopped(self) -> None:
        """Answer until `should_exit` is set, or the process is asked to stop."""
        self.run(sockets=[self.socket])


def _bound(port: int) -> socket.socket:
    """Return a socket that listens on loopback; port 0 takes any free one."""
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise PerinatalError(
            f"port {port} cannot be used ({error.strerror}): choose another with `perinatal portal --port N`"
        ) from None


def serve(editions: Editions, port: int, beside: Mapping[str, Said]) -> None:
    """Serve until stopped; prints the address. `beside` gives what is answered beside the files of the edition."""
    server = PortalServer(editions, port, beside)
    print(f"http://{HOST}:{server.port}/", flush=True)
    say("The pages of the current edition, read-only, on this machine only. Stop with Ctrl-C.")
    server.serve_until_stopped()
