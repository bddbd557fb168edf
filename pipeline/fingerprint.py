"""What decides on an edition's content, as hashes: a build that finds the same ones has nothing to do.

Every shipped file counts, and the version of every library that computes or renders, in the part of the step that it
belongs to: so a later build can tell which of its steps would come out the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

from ingest.archive.manifest import Manifest
from perinatal import settings
from perinatal.settings import PROJECT_ROOT
from perinatal.shipped import digest_of, files_below

# what is shipped: the longest path that a file lies under says which step it belongs to
SHIPPED = {
    "dags": "code",
    "pipeline": "code",
    "perinatal": "code",
    "perinatal/charts": "pages",
    "ingest": "models",
    "warehouse": "models",
    "dbt_project": "models",
    "insights": "themes",
    "expectations": "gate",
    "publish": "downloads",
    "publish/portal": "pages",
    "docs": "pages",
}
LIBRARIES = {
    "models": ("dbt-core", "dbt-duckdb", "duckdb", "pyarrow"),
    "themes": ("numpy", "scipy", "scikit-learn"),
    "gate": ("great-expectations",),
    "downloads": ("xlsxwriter",),
    "pages": ("jinja2", "markdown-it-py", "markupsafe"),
}
# parts of what writes files from the tables of an edition: those show what all others have come to
WRITERS = ("code", "themes", "downloads", "pages")


def parts(releases: Iterable[Manifest], decisions: Path) -> dict[str, str]:
    """Return a hash for each part: landed releases, people's decisions on themes, the engine, the code of each step."""
    return {
        "engine": digest_of([settings.get().engine.encode()]),
        "releases": digest_of(_identity(item) for item in sorted(releases, key=lambda i: (i.release_key, i.revision))),
        "decisions": digest_of([decisions.read_bytes()] if decisions.exists() else []),
        **code_parts(PROJECT_ROOT),
    }


def whole(found: dict[str, str]) -> str:
    """Return one hash of all parts."""
    return digest_of(f"{name}={digest}".encode() for name, digest in sorted(found.items()))


def of_files(found: dict[str, str]) -> str:
    """Return one hash of the code that writes downloads and pages: what files show counts apart from it."""
    return digest_of([f"{part}={found[part]}".encode() for part in WRITERS] + [f"duckdb {version('duckdb')}".encode()])


@cache
def code_parts(root: Path) -> dict[str, str]:
    """Return a hash for each step of the shipped files below `root` and the versions of the step's libraries."""
    held: dict[str, list[bytes]] = {step: [] for step in SHIPPED.values()}
    for path in shipped_files(root):
        name = path.relative_to(root).as_posix()
        held[_step_of(name)] += [name.encode(), path.read_bytes()]
    for step, names in LIBRARIES.items():
        held[step] += [f"{name} {version(name)}".encode() for name in names]
    return {step: digest_of(pieces) for step, pieces in held.items()}


def shipped_files(root: Path) -> Iterator[Path]:
    """Yield every shipped file, in the order of its name."""
    yield from files_below(root, (name for name in SHIPPED if "/" not in name))


def _step_of(name: str) -> str:
    return SHIPPED[max((folder for folder in SHIPPED if name.startswith(f"{folder}/")), key=len)]


def _identity(item: Manifest) -> bytes:
    known = (item.release_key, item.revision, item.parser_version, item.status, item.published_on, item.is_synthetic)
    return "#".join(map(str, known)).encode()
