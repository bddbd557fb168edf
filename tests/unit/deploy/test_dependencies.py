"""What the rooms import is declared, and what is declared is used."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
# declared and not imported: why they are needed when it runs
NEEDED_AT_RUN_TIME = {
    "apache-airflow": "the `airflow` package that dags/ imports comes in its parts (core, task-sdk, providers)",
    "apache-airflow-providers-celery": "the executor of a team server, named in its settings",
    "apache-airflow-providers-openlineage": "Airflow loads it as a plugin: lineage of its tasks",
    "apache-airflow-providers-postgres": "the database hook of a team server's Airflow",
    "dbt-core": "run as the command `dbt`",
    "dbt-duckdb": "the adapter that dbt loads",
    "psycopg2-binary": "the PostgreSQL driver of a team server's Airflow",
    "redis": "the queue of a team server",
    "s3fs": "fsspec loads it for s3:// addresses",
}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> set[str]:
    """Return the distributions that pyproject.toml asks for, but those of developers."""
    extras = PROJECT["project"]["optional-dependencies"]
    lines = PROJECT["project"]["dependencies"] + [line for name in extras if name != "dev" for line in extras[name]]
    return {canonical(re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0]) for line in lines}


def imported_names(path: Path) -> Iterator[str]:
    """Yield the top-level packages that a module imports, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


@cache
def imported() -> dict[str, str]:
    """Return third-party package → a file of the rooms that imports it."""
    found = {}
    for path in (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))):
        for name in imported_names(path):
            if name not in sys.stdlib_module_names and name not in ROOMS:
                found[name] = str(path.relative_to(ROOT))
    return found


@cache
def installed() -> Mapping[str, list[str]]:
    return packages_distributions()  # reads the records of every installed distribution


def distributions_of(name: str) -> set[str]:
    return {canonical(found) for found in installed().get(name, [name])}


def test_what_the_rooms_import_is_declared() -> None:
    known = declared() | distributions_of("airflow")
    undeclared = {name: path for name, path in imported().items() if not distributions_of(name) & known}
    assert undeclared == {}


def test_what_is_declared_is_imported_or_needed_at_run_time() -> None:
    used = {found for name in imported() if name != "airflow" for found in distributions_of(name)}
    assert declared() - used - NEEDED_AT_RUN_TIME.keys() == set()


def test_what_is_needed_at_run_time_is_declared_and_not_imported() -> None:
    used = {found for name in imported() if name != "airflow" for found in distributions_of(name)}
    assert declared() >= NEEDED_AT_RUN_TIME.keys()
    assert not NEEDED_AT_RUN_TIME.keys() & used
