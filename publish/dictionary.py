"""What every table and column means: read from dbt's own YAML, the one place where it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml

from perinatal.settings import PROJECT_ROOT

FOLDERS = tuple(PROJECT_ROOT / name for name in ("dbt_project/models", "dbt_project/seeds", "publish", "insights"))


@dataclass(frozen=True)
class Table:
    """A table's description, its columns' descriptions, and the columns that name a row, where they are declared."""

    name: str
    description: str
    columns: dict[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ()

    def says(self, column: str) -> str:
        """Return what a column means, or nothing."""
        return self.columns.get(column, "")


@cache
def tables() -> dict[str, Table]:
    """Return the described tables by name (names are unique over the schemas)."""
    documents = (
        yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        for folder in FOLDERS
        for path in sorted(folder.rglob("*.yml"))
    )
    return {item["name"]: _table(item) for document in documents for item in _items(document)}


def table(name: str) -> Table:
    """Return a table by name, also one that nobody has described."""
    return tables().get(name, Table(name, ""))


def _items(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from document.get("models", [])
    yield from document.get("seeds", [])
    for source in document.get("sources", []):
        yield from source.get("tables", [])


def _table(item: dict[str, Any]) -> Table:
    columns = {column["name"]: _text(column.get("description")) for column in item.get("columns", [])}
    return Table(item["name"], _text(item.get("description")), columns, _key(item))


def _key(item: dict[str, Any]) -> tuple[str, ...]:
    for test in item.get("data_tests", []):
        if isinstance(test, dict) and "unique_grain" in test:
            columns = test["unique_grain"].get("arguments", test["unique_grain"])["columns"]
            return tuple(str(column).strip('"') for column in columns)
    unique = [column["name"] for column in item.get("columns", []) if "unique" in (column.get("data_tests") or [])]
    return tuple(unique[:1])


def _text(value: str | None) -> str:
    return " ".join((value or "").split())
