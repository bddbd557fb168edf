"""The sources: one folder each in `ingest/sources/`, read into typed objects.

A source folder holds `source.yml` (publisher, licence, cadence, datasets), `columns.csv` (the header contract; not
needed where all datasets are entered by a template of `ingest/templates/`), `parse.py` (how a file is recognised;
optionally how it becomes a table) and optionally `corrections.yml`.
"""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, ConfigDict, Field, dataclasses

from expectations.columns import Column, column_of
from expectations.no_values import with_no_values
from ingest.fetch.probe_settings import Arrives, Watch
from perinatal.errors import PerinatalError
from perinatal.records import Record, record_of
from perinatal.yaml_records import read_yaml

SOURCES_DIR = Path(__file__).parent / "sources"
TEMPLATES_DIR = Path(__file__).parent / "templates"

# the marts that a dataset feeds, by its template; a dataset of another shape says so itself
FEEDS = {
    None: (
        "marts.trust_indicator",
        "marts.lms_indicator",
        "marts.region_indicator",
        "marts.england_indicator",
        "marts.organisation_indicator",
    ),
    "findings": ("marts.theme_evidence", "marts.theme"),
}
Audience = Literal["public", "restricted"]
MalformedRows = Literal["refuse", "quarantine"]


class Cells(Record):
    """What the cells of a source's numbers may hold beside plain numbers; anything else is a wrong cell.

    `markup` lets HTML tags be taken off that change only how a text looks, `marks` is the character behind a number
    that points to a note (kept: the row's `cell_marks` names the columns that had one). With both, raised and lowered
    text (`<sup>7</sup>`) is such a mark too. What stands for no value is in the seed `no_value_word`.
    """

    markup: bool = False
    marks: str = ""


@dataclass(frozen=True)
class Identity:
    """What a file is: dataset, release, `final` or `provisional`, and the publication date if the file says it.

    A parser that can only tell dataset or release from the whole table leaves them empty and has `complete`; without
    it, what is empty must be said by a person.
    `layout` names the header contract (a key of `datasets` in source.yml); it is the dataset itself unless a
    publisher cuts any number of datasets to one layout.
    """

    dataset: str
    release: str
    status: Literal["final", "provisional"] = "final"
    published_on: str | None = None
    layout: str | None = None

    @property
    def contract(self) -> str:
        """Return the key of the header contract."""
        return self.layout or self.dataset


@dataclass(frozen=True)
class Sample:
    """The head of a decoded file, for recognition: its name, header and first rows (header name → text).

    `dataset` and `release` are what a person has said of the file, or None: some files do not tell themselves. `above`
    are the texts above the header.
    """

    name: str
    header: list[str]
    rows: list[dict[str, str]]
    dataset: str | None = None
    release: str | None = None
    above: tuple[str, ...] = ()


def _template(name: str) -> str:
    """Return the name of a template that there is. Raises ValueError."""
    names = sorted(path.parent.name for path in TEMPLATES_DIR.glob("*/columns.csv"))
    if name not in names:
        raise ValueError(f"expected {' or '.join(names)}")
    return name


class Releases(Record):
    """How the releases of a dataset are called, in words and by an example."""

    text: str = ""
    example: str = ""


# by template, where source.yml does not say it
RELEASES = {"findings": Releases(text="day of publication, YYYY-MM-DD", example="2024-01-31")}


class Calendar(NamedTuple):
    """When a dataset is due, in days; see `Source`."""

    cadence_days: int | None
    lag_days: int
    grace_days: int


class Dataset(Record):
    """What `source.yml` says of one dataset.

    `template` names the folder of `ingest/templates/` that people enter it by, `files` how its files are called.
    `scope` says what a newer release replaces: `release` the whole of it, `row` the rows that it repeats.
    `published_on` is the day of publication by release, where the files do not say it. `releases` says how a release is
    called, for people whose file does not say. `cadence_days`, `lag_days` and `grace_days` stand here where the
    dataset's calendar differs from its source's.
    """

    title: str = ""
    template: Annotated[str, AfterValidator(_template)] | None = None
    files: str | None = None
    scope: Literal["release", "row"] = "release"
    cadence_days: int | None = None
    lag_days: int | None = None
    grace_days: int | None = None
    marts: tuple[str, ...] | None = None
    published_on: dict[str, date] = Field(default_factory=dict)
    releases: Releases | None = None


@dataclasses.dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Source:
    """One publisher's material, as `source.yml` describes it.

    Its calendar, in days: `cadence_days` from the end of one period to the end of the next (None where nothing more is
    due), `lag_days` from the end of a period to its publication, `grace_days` after that before it counts as late.

    `probe` says how its releases are noticed, None where people bring the files. `owner` sees to what its standards
    find. `bundled` names a release in the source's folder that every edition starts from.
    """

    id: str
    title: str
    publisher: str
    licence: str
    page: str
    audience: Audience
    cadence_days: int | None
    datasets: dict[str, Dataset]
    folder: Path
    lag_days: int = 0
    grace_days: int = 0
    encodings: tuple[str, ...] = ("utf-8",)
    malformed_rows: MalformedRows = "refuse"
    parser_version: int = 1
    probe: Watch | None = None
    suffixes: tuple[str, ...] = (".csv",)
    cells: Cells = Cells()
    owner: str = "Insights group"
    bundled: str | None = None

    def marts(self, layout: str) -> tuple[str, ...]:
        """Return the marts that a dataset feeds."""
        about = self.datasets[layout]
        return FEEDS.get(about.template, FEEDS[None]) if about.marts is None else about.marts

    def holds_prose(self, layout: str) -> bool:
        """Tell whether a layout has free text, in which names of persons are masked."""
        return any(column.type == "prose" for column in self.columns[layout])

    @property
    def may_name_persons(self) -> bool:
        """Tell whether files, as they arrive, may hold what only their owner may read: returns, and unmasked prose."""
        return self.audience == "restricted" or any(map(self.holds_prose, self.datasets))

    def releases(self, layout: str) -> Releases:
        """Return how the releases of a dataset are called."""
        about = self.datasets[layout]
        return about.releases or RELEASES.get(about.template or "", Releases())

    def calendar(self, layout: str) -> Calendar:
        """Return when a dataset is due: its own calendar where it has one, else the source's."""
        own = self.datasets[layout].model_dump(include=set(Calendar._fields), exclude_unset=True)
        return Calendar(self.cadence_days, self.lag_days, self.grace_days)._replace(**own)

    @property
    def arrives(self) -> Arrives:
        """Return how releases come in."""
        return self.probe.arrives if self.probe else Arrives.BY_HAND

    @cached_property
    def parser(self) -> ModuleType:
        """Import `parse.py` of this source's folder: `recognise`; `datasets`, `to_csv`, `complete` if needed."""
        return self._module("parse")

    @cached_property
    def sample(self) -> ModuleType:
        """Import `sample.py` of this source's folder: `generate`, which writes its synthetic releases."""
        return self._module("sample")

    def _module(self, name: str) -> ModuleType:
        path = self.folder / f"{name}.py"
        spec = importlib.util.spec_from_file_location(f"ingest_source_{self.id}_{name}", path)
        if spec is None or spec.loader is None or not path.exists():
            raise PerinatalError(f"source {self.id}: {path} is missing")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    @property
    def recognise(self) -> Callable[[Sample], Identity | None]:
        """Return the function that tells what a file of this source is, or None where it cannot tell."""
        function: Callable[[Sample], Identity | None] = self.parser.recognise
        return function

    @property
    def completes(self) -> bool:
        """Tell whether dataset and release may be left to the whole table (`complete` of parse.py)."""
        return hasattr(self.parser, "complete")

    def dataset_names(self, layout: str | None = None) -> tuple[str, ...]:
        """Return what a dataset of a layout may be called: what `datasets` of parse.py lists, else the layouts.

        Nothing where any name will do.
        """
        listed: Callable[[], tuple[str, ...]] | None = getattr(self.parser, "datasets", None)
        if listed:
            return listed()
        if self.completes or (layout and self.datasets[layout].template):
            return ()
        return tuple(self.datasets)

    def complete(self, identity: Identity, name: str, rows: Path) -> Identity:
        """Fill in what only the whole typed table tells of a file's identity (the optional `complete` of parse.py)."""
        fill: Callable[[Identity, str, Path], Identity] | None = getattr(self.parser, "complete", None)
        return fill(identity, name, rows) if fill else identity

    @cached_property
    def columns(self) -> dict[str, tuple[Column, ...]]:
        """Return the header contract: dataset → columns, in the order of `columns.csv` or of the dataset's template."""
        contract: dict[str, list[Column]] = {dataset: [] for dataset in self.datasets}
        templates = {dataset: about.template for dataset, about in self.datasets.items() if about.template}
        for dataset, template in templates.items():
            with (TEMPLATES_DIR / template / "columns.csv").open(encoding="utf-8", newline="") as handle:
                contract[dataset] = [column_of(row) for row in csv.DictReader(handle)]
        if len(templates) < len(self.datasets):
            self._read_columns(contract)
        return {dataset: with_no_values(self.id, columns) for dataset, columns in contract.items()}

    def _read_columns(self, contract: dict[str, list[Column]]) -> None:
        """Add the columns of this folder's own `columns.csv` to the contract."""
        path = self.folder / "columns.csv"
        with path.open(encoding="utf-8", newline="") as handle:
            for line, row in enumerate(csv.DictReader(handle), start=2):
                for dataset in self.datasets if row["dataset"] == "*" else row["dataset"].split("|"):
                    if dataset not in contract:
                        raise PerinatalError(f"{path}:{line}: dataset {dataset!r} is not in source.yml")
                    try:
                        contract[dataset].append(column_of(row))
                    except ValueError as error:
                        raise PerinatalError(f"{path}:{line}: {error}") from None


def load(folder: Path) -> Source:
    """Read one source folder. Raises PerinatalError, which names the field that is wrong."""
    path = folder / "source.yml"
    source = record_of(Source, {**read_yaml(path, dict[str, Any]), "folder": folder}, str(path))
    if source.id != folder.name:
        raise PerinatalError(f"{path}: id is {source.id!r}, expected the folder's name {folder.name!r}")
    return source


@cache
def all_sources(root: Path = SOURCES_DIR) -> dict[str, Source]:
    """Return every source by id, in alphabetical order."""
    return {path.parent.name: load(path.parent) for path in sorted(root.glob("*/source.yml"))}


def source(source_id: str) -> Source:
    """Return one source; a wrong id gets the list of those there are."""
    sources = all_sources()
    if source_id not in sources:
        raise PerinatalError(f"no source is called {source_id!r}; there are: {', '.join(sources)}")
    return sources[source_id]
