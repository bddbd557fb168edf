"""A made-up publisher for the tests: one folder, as any source has, and a site that serves its files.

And what no landing may leave.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from faulty_publishers import FaultyPublishers

from ingest import registry
from ingest.fetch.http import HttpClient, HttpOptions
from ingest.land import landing
from ingest.land.arriving_file import Arrival
from ingest.land.landing import Outcome
from ingest.registry import Source
from ingest.stores import Stores
from perinatal.home import Home

HEADER = (
    "dataset,column,published_names,type,required,nullable,minimum,maximum,allowed,pattern,severity,unit,description\n"
)
COLUMNS = """*,organisation,Organisation,text,yes,no,,,,,block,,Name
*,year,Year,integer,yes,no,2000,2100,,,block,,Year of birth
*,births,Births,integer,yes,no,0,,,,block,births,Births
"""
PARSE = """
from ingest.registry import Identity


def recognise(sample):
    years = {row.get("Year", "") for row in sample.rows}
    if len(years) != 1 or not sample.header[0].startswith("Organisation"):
        return None
    return Identity("births", years.pop())
"""
SAMPLE = """
from pathlib import Path


def generate(folder: Path) -> None:
    for year in (2021, 2022):
        (folder / f"births-{year}.csv").write_text(f"Organisation,Year,Births\\nInvented Trust,{year},{year - 1900}\\n")
"""


def leftovers(home: Home) -> list[Path]:
    """Return temporary files and folders that a landing must not leave."""
    return [*home.landed.glob(".landing-*"), *home.archive.glob(".incoming-*")]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def land(home: Home, demo: Source, tmp_path: Path) -> Callable[..., Outcome]:
    """Land bytes under a name, as the demo source's unless another is given."""

    def run(content: bytes, name: str = "counts-2024.csv", source: Source = demo, **known: object) -> Outcome:
        path = tmp_path / "files" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return landing.land(Stores.of(home), path, Arrival(source, name, **known))  # type: ignore[arg-type]

    return run


@pytest.fixture
def make_source(tmp_path: Path) -> Callable[..., Source]:
    """Return a function that writes a source folder and loads it."""

    def make(source_id: str = "madeup", probe: dict[str, Any] | None = None, **files: str) -> Source:
        folder = tmp_path / "sources" / source_id
        folder.mkdir(parents=True)
        about: dict[str, Any] = {
            "id": source_id,
            "title": "Births by organisation",
            "publisher": "The Made-up Office",
            "licence": "none",
            "page": f"https://{source_id}.example/page",
            "audience": "public",
            "cadence_days": 365,
            "datasets": {"births": {"title": "Births"}},
        }
        if probe:
            about["probe"] = probe
        (folder / "source.yml").write_text(yaml.safe_dump(about))
        (folder / "columns.csv").write_text(HEADER + files.get("columns", COLUMNS))
        (folder / "parse.py").write_text(files.get("parse", PARSE))
        (folder / "sample.py").write_text(files.get("sample", SAMPLE))
        return registry.load(folder)

    return make


class Site:
    """A publisher's site on disk: a page of links, files below it, pages of files; served while a test runs."""

    def __init__(self, root: Path, host: str) -> None:
        self.folder, self.host = root / host, host
        (self.folder / "files").mkdir(parents=True)
        self.routes: list[dict[str, Any]] = [
            {"path": "/page", "file": "page.html"},
            {"path": "/files/", "folder": "files"},
        ]
        self.write_routes()
        self.page()

    def write_routes(self) -> None:
        (self.folder / "site.json").write_text(json.dumps({"sites": {self.host: {"routes": self.routes}}}))

    def page(self, *names: str, text: str = "Our releases") -> None:
        """Write the page with links to these files."""
        links = "".join(f'<li><a href="/files/{name}">{name}</a></li>' for name in names)
        (self.folder / "page.html").write_text(
            f"<!DOCTYPE html>\n<html><body><main>{text}<ul>{links}</ul></main></body></html>"
        )

    def put(self, name: str, content: str | bytes) -> None:
        """Put a file on the site."""
        data = content.encode() if isinstance(content, str) else content
        (self.folder / "files" / name).write_bytes(data)


@pytest.fixture
def make_site(tmp_path: Path) -> Callable[..., Site]:
    """Return a function that makes a site; all are to be made before they are served."""
    return lambda host="madeup.example": Site(tmp_path / "sites", host)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., tuple[FaultyPublishers, HttpClient]]]:
    """Return a function that serves all sites; gives the server and a client in a hurry."""
    open_ones: list[Any] = []

    def start(**options: Any) -> tuple[FaultyPublishers, HttpClient]:
        server = FaultyPublishers(tmp_path / "sites").__enter__()
        quick: dict[str, Any] = {
            "connect_timeout": 1,
            "read_timeout": 0.5,
            "total_timeout": 3,
            "attempts": 2,
            "backoff": 0.01,
            "delay": 0,
            "max_bytes": 1 << 20,
            "stand_ins": server.stand_ins(),
        }
        client = HttpClient(HttpOptions(**(quick | options)))
        open_ones.extend([client.close, server.stop])
        return server, client

    yield start
    for close in open_ones:
        close()
