"""What documents and comments cite is there: paths and modules in backticks, links, documents, make targets."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
import shipped

REPO = shipped.REPO
TRACKED = set(shipped.tracked())
FOLDERS = {parent.as_posix() for name in TRACKED for parent in Path(name).parents}
# where a cited path may start: documents leave out dbt_project/ where they speak of models, macros and seeds
STARTS = ("", "dbt_project/")
DOCUMENTS = sorted(name for name in TRACKED if re.fullmatch(r"(docs/)?[\w-]+\.md", name))
TEXTS = sorted(name for name in TRACKED if name.endswith((".py", ".sql", ".yml", ".yaml", ".toml", ".sh", ".conf")))
ROOMS = ("dags", "pipeline", "ingest", "publish", "insights", "warehouse", "expectations", "perinatal")
QUOTED = re.compile(r"`([^`\s]+)`")
PATH = re.compile(r"[\w.-]+(/[\w.-]+)*/?")
# in code blocks too; `perinatal.duckdb` is a file, not a module
MODULE = re.compile(rf"(?<![\w./-])(?:{'|'.join(ROOMS)})(?:\.(?!duckdb|toml)[A-Za-z_]\w*)+")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def read(name: str) -> str:
    return (REPO / name).read_text(encoding="utf-8")


def is_ours(path: str) -> bool:
    """Tell whether a cited path starts in a folder of the project (and not in the state folder)."""
    first = path.split("/", maxsplit=1)[0]
    return "/" in path and any(f"{start}{first}" in FOLDERS for start in STARTS)


def exists(path: str) -> bool:
    return any((start + path.rstrip("/")) in TRACKED | FOLDERS for start in STARTS)


def is_in_code(dotted: str) -> bool:
    """Tell whether `room.module.name` can be imported."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            if not hasattr(found, name):
                return False
            found = getattr(found, name)
        return True
    return False


@pytest.mark.parametrize("document", DOCUMENTS)
def test_paths_and_modules_that_are_cited_exist(document: str) -> None:
    paths = {text for text in QUOTED.findall(read(document)) if PATH.fullmatch(text) and is_ours(text)}
    assert {path for path in paths if not exists(path)} == set()
    assert {name for name in MODULE.findall(read(document)) if not is_in_code(name)} == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_relative_links_resolve(document: str) -> None:
    links = [link for link in LINK.findall(read(document)) if not link.startswith(("http://", "https://"))]
    for link in links:
        path, _, heading = link.partition("#")
        target = ((REPO / document).parent / path).resolve() if path else REPO / document
        assert target.relative_to(REPO).as_posix() in TRACKED | FOLDERS, link
        assert not heading or heading in headings(target), link


def headings(document: Path) -> set[str]:
    """Return the names by which links reach the headings of a document."""
    found = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", text).lower().replace(" ", "-") for text in found}


def test_documents_that_code_cites_exist() -> None:
    cited = {(name, path) for name in TEXTS for path in re.findall(r"\bdocs/[\w-]+\.md\b", read(name))}
    assert {(name, path) for name, path in cited if path not in TRACKED} == set()


def test_make_targets_that_are_cited_exist() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", read("Makefile"), re.MULTILINE))
    for name in (*DOCUMENTS, "pyproject.toml", ".ci/run"):
        cited = re.findall(r"`make ([a-z0-9-]+)|^make ([a-z0-9-]+)", read(name), re.MULTILINE)
        assert {first or second for first, second in cited} - targets == set(), name


def test_the_picture_of_the_portal_is_small() -> None:
    assert (REPO / "docs/images/portal.png").stat().st_size < 300_000
