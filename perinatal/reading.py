"""Reading the current edition from Python: `perinatal.connect()`."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb

from perinatal import home as homes
from perinatal.home import Home


def open_current(home: Home, **config: str | bool | int | float | list[str]) -> tuple[Path, duckdb.DuckDBPyConnection]:
    """Open the current edition read-only; returns its file and the connection.

    An edition may be pruned between looking where it is and opening it: then another one is current already.
    """
    while True:
        database = home.database
        try:
            return database, duckdb.connect(str(database), read_only=True, config=config)
        except duckdb.IOException:
            if home.database == database:
                raise


class Connection:
    """A read-only connection to the current edition.

    Each question looks whether a new edition has been published and is then asked of that one; an answer that is
    being read stays with the edition that it came from. One question may therefore differ from the one before:
    `edition` says which edition was asked last.
    """

    def __init__(self, home: Path | None = None) -> None:
        self._home = Home(home) if home else homes.get()
        self._database: Path | None = None
        self._open: duckdb.DuckDBPyConnection | None = None
        self._current()

    def _current(self) -> duckdb.DuckDBPyConnection:
        if self._open is None or self._home.database != self._database:
            # not closed: an answer that somebody still reads keeps the old edition until they are done
            self._database, self._open = open_current(self._home)
        return self._open

    @property
    def edition(self) -> str:
        """Name of the edition that was asked last."""
        return self._database.parent.name if self._database else ""

    def sql(self, query: str, params: Any = None) -> duckdb.DuckDBPyRelation:
        """Ask, and return a relation: `.df()`, `.arrow()`, `.pl()`, `.fetchall()`, `.show()`."""
        return self._current().sql(query, params=params)

    def execute(self, query: str, params: Any = None) -> duckdb.DuckDBPyConnection:
        """Ask as the database API does: `.fetchall()`, `.fetchdf()`."""
        return self._current().execute(query, params)

    def table(self, name: str) -> duckdb.DuckDBPyRelation:
        """Return a whole table, e.g. `marts.trust_indicator`."""
        return self._current().table(name)

    def tables(self) -> list[str]:
        """Name every table of the edition."""
        rows = self._current().execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where database_name = current_database() order by all"
        )
        return [name for (name,) in rows.fetchall()]

    def close(self) -> None:
        """Let go of the edition."""
        if self._open is not None:
            self._open.close()
        self._open = None

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
