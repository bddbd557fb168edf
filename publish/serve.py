"""The portal on loopback: the current edition's pages and downloads, read-only, with strict headers.

For one person's machine. A team server puts the same folders behind a web server (deploy/nginx.conf).
"""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from perinatal.home import Home

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-cache",
}
# the folders of an edition that are public; all else (restricted/, the gate's scratch) is not there for a browser
PUBLIC = ("downloads", "portal", "quality")
HOSTS = ("127.0.0.1", "localhost")


class Handler(SimpleHTTPRequestHandler):
    """Serves `portal/` at the top and the other public folders beside it, of whatever edition is current."""

    server_version, sys_version = "perinatal", ""

    def __init__(self, *arguments: object, home: Home) -> None:
        self.home = home
        super().__init__(*arguments)  # type: ignore[arg-type]

    def translate_path(self, path: str) -> str:
        """Return the file for an address; the edition is looked up anew each time, so a new one is served at once."""
        parts = [part for part in unquote(urlsplit(path).path).split("/") if part not in ("", ".")]
        edition = self.home.current.resolve()
        folder = edition / (parts.pop(0) if parts and parts[0] in PUBLIC else "portal")
        wanted = folder.joinpath(*parts)
        inside = ".." not in parts and wanted.resolve().is_relative_to(folder.resolve())
        return str(wanted) + ("/" if inside and path.endswith("/") else "") if inside else str(edition / "nothing")

    def list_directory(self, path: str) -> None:  # type: ignore[override]  # noqa: ARG002
        """List nothing: pages link what there is."""
        self.send_error(404, "No such page")

    def send_head(self) -> object:  # type: ignore[override]
        """Answer only to this machine's names, so that no web page elsewhere can read it by another name."""
        if urlsplit(f"//{self.headers.get('Host')}").hostname not in HOSTS:
            self.send_error(421, "Ask for 127.0.0.1")
            return None
        return super().send_head()

    def end_headers(self) -> None:
        """Add the strict headers to every answer."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep quiet: what somebody reads is nobody's business."""


def server(home: Home, port: int) -> ThreadingHTTPServer:
    """Return the server, bound to loopback."""
    return ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, home=home))


def has_pages(edition: Path) -> bool:
    """Tell whether an edition has a portal."""
    return (edition / "portal" / "index.html").exists()
