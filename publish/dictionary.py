"""What every table and column means: read from dbt's own YAML, where alone it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, Field, ValidationError

from perinatal.errors import PerinatalError
from perinatal.settings import PROJECT_ROOT

FOLDERS = tuple(PROJECT_ROOT / name for name in ("dbt_project/models", "dbt_project/seeds", "publish"))


class DescribedColumn(BaseModel):
    """A column as dbt's YAML describes it; what the dictionary does not show is passed over."""

    name: str
    description: str = ""
    data_tests: list[str | dict[str, Any]] = Field(default_factory=list)


class DescribedTable(BaseModel):
    """A model, seed or table of a source as dbt's YAML describes it."""

    name: str
    description: str = ""
    columns: list[DescribedColumn] = Field(default_factory=list)
    data_tests: list[str | dict[str, Any]] = Field(default_factory=list)

    def key(self) -> tuple[str, ...]:
        """Return the columns that name a row: those of a test `unique_grain`, else the first column that is unique."""
        for test in self.data_tests:
            if isinstance(test, dict) and "unique_grain" in test:
                columns = test["unique_grain"].get("arguments", test["unique_grain"])["columns"]
                return tuple(str(column).strip('"') for column in columns)
        return tuple(column.name for column in self.columns if "unique" in column.data_tests)[:1]


class DescribedSource(BaseModel):
    """A source of dbt's YAML with its tables."""

    tables: list[DescribedTable] = Field(default_factory=list)


class Document(BaseModel):
    """One file of dbt's YAML."""

    models: list[DescribedTable] = Field(default_factory=list)
    seeds: list[DescribedTable] = Field(default_factory=list)
    sources: list[DescribedSource] = Field(default_factory=list)

    def tables(self) -> Iterator[DescribedTable]:
        """Yield every table that the file describes."""
        yield from self.models
        yield from self.seeds
        for source in self.sources:
            yield from source.tables


@dataclass(frozen=True)
class Table:
    """A table's description, its columns' descriptions, and the columns that name a row, where they are declared."""

    name: str
    description: str
    columns: dict[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ()

    def meaning(self, column: str) -> str:
        """Return what a column means; empty where nobody has described it."""
        return self.columns.get(column, "")


@cache
def tables() -> dict[str, Table]:
    """Return the described tables by name (names are unique over the schemas)."""
    files = (path for folder in FOLDERS for path in sorted(folder.rglob("*.yml")))
    return {item.name: _table(item) for path in files for item in _read(path).tables()}


def table(name: str) -> Table:
    """Return a table by name, also one that nobody has described."""
    return tables().get(name, Table(name, ""))


def _read(path: Path) -> Document:
    """Read one file. Raises PerinatalError where it does not have the shape of dbt's YAML."""
    try:
        return Document.model_validate(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader) or {})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise PerinatalError(f"{path}: {where}: {first['msg']}; correct the file as dbt's documentation says") from None


def _table(item: DescribedTable) -> Table:
    columns = {column.name: _one_line(column.description) for column in item.columns}
    return Table(item.name, _one_line(item.description), columns, item.key())


def _one_line(text: str) -> str:
    return " ".join(text.split())
