"""The route tables of the sample sites: every `site.json` below a folder adds hosts and their routes.

    {"sites": {"fingertips.phe.org.uk": {"routes": [
        {"path": "/api/", "fingertips": "api"},
        {"path": "/profile", "file": "profile.html"},
        {"path": "/downloads/", "folder": "files", "gzip": true}]},
      "www.gov.uk": {"routes": [{"path": "/api/content/", "govuk": "content"}]}}}

The files that it names lie beside it. A path that ends in `/` answers for everything below it; the longest path wins.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ingest.sample.answers import Answer, file_answer, folder_answer, govuk_answer
from ingest.sample.fingertips import fingertips_answer
from perinatal.errors import PerinatalError


@dataclass(frozen=True)
class Route:
    """One line of a route table: `path` with the host name in front, `target` a file or folder on disk."""

    path: str
    kind: str
    target: Path
    gzip: bool = False
    media_type: str | None = None

    @property
    def host(self) -> str:
        """Return the host name that this route is of."""
        return self.path.split("/")[1]

    def fits(self, path: str) -> bool:
        """Tell whether this route answers for a path."""
        return path.startswith(self.path) if self.path.endswith("/") else path == self.path

    def answer(self, path: str, query: str) -> Answer:
        """Return the answer to a request for `path`."""
        return SERVED_BY[self.kind](self, path.removeprefix(self.path), query)


SERVED_BY: Final[Mapping[str, Callable[[Route, str, str], Answer]]] = {
    "file": lambda route, _, __: file_answer(route.target, route.media_type),
    "folder": lambda route, rest, _: folder_answer(route.target, rest, route.media_type),
    "fingertips": lambda route, rest, query: fingertips_answer(route.target, rest, query),
    "govuk": lambda route, rest, _: govuk_answer(route.target, rest),
}


def routes_below(root: Path) -> list[Route]:
    """Return the routes of every `site.json` below `root`, longest path first."""
    routes = [route for site_file in sorted(root.rglob("site.json")) for route in _routes_of(site_file)]
    return sorted(routes, key=lambda route: len(route.path), reverse=True)


def _routes_of(site_file: Path) -> list[Route]:
    """Return the routes of one route table. Raises PerinatalError where it is none."""
    try:
        sites = json.loads(site_file.read_text(encoding="utf-8"))["sites"]
        return [_route(site_file.parent, host, raw) for host, site in sites.items() for raw in site["routes"]]
    except (ValueError, KeyError, TypeError, StopIteration) as error:
        raise PerinatalError(
            f"{site_file}: not a route table ({type(error).__name__}: {error}); "
            'expected {"sites": {host: {"routes": [{"path": …, "file" (folder, fingertips, govuk): …}]}}}'
        ) from None


def _route(folder: Path, host: str, raw: dict[str, Any]) -> Route:
    kind = next(kind for kind in SERVED_BY if kind in raw)
    return Route(f"/{host}{raw['path']}", kind, folder / raw[kind], raw.get("gzip", False), raw.get("type"))
