"""Names and values as SQL text, for statements that cannot take parameters (paths, views, identifiers)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

Value = str | int | float | date | Path | None


def identifier(name: str) -> str:
    """Return a name in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Value) -> str:
    """Return a value as a literal; None is `null`, dates and paths are text."""
    if value is None:
        return "null"
    if isinstance(value, bool | int | float):
        return repr(value).lower()
    return "'" + str(value).replace("'", "''") + "'"


def literals(values: Iterable[Value]) -> str:
    """Return values as a comma-separated list of literals."""
    return ", ".join(map(literal, values))


def attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str, options: str = "read_only") -> None:
    """Attach a DuckDB file under a name; read-only unless `options` says otherwise."""
    connection.execute(f"attach {literal(path)} as {identifier(name)} ({options})")


def names_where(conditions: Mapping[str, str]) -> str:
    """Return the SQL of the list of names whose condition holds, NULL where none does (as nearly always)."""
    if not conditions:
        return "null::varchar[]"
    any_holds = " or ".join(f"({condition})" for condition in conditions.values())
    names = ", ".join(f"case when {condition} then {literal(name)} end" for name, condition in conditions.items())
    return f"case when {any_holds} then list_filter([{names}], lambda name: name is not null) end"
