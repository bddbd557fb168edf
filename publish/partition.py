"""Tables as files: one file for each organisation or indicator, or a whole table, made only where its rows changed.

DuckDB hashes the rows of each part in one query, and writes the parts that the edition before does not have so.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Literal

import duckdb

from perinatal import settings
from perinatal.made_files import UNNAMED, MadeFiles, Since
from perinatal.sql import identifier, literal, literals

Form = Literal["csv", "parquet", "json"]
# the query of what a file shows, of a part's key as a literal and the first edition in which the file reads so
Query = Callable[[str, Since], str]
Names = Callable[[str], str] | Mapping[str, Sequence[str]]
Copy = tuple[str, Path, Form]  # a query, and the file that it goes to

KEY = "part_key"
DESK = "at_work"  # a database in memory: cursors see the tables of an attached one, but no temporary ones
ROWS = f"{DESK}.part_row"
OPTIONS = {"csv": "format csv, header", "parquet": "format parquet, compression zstd", "json": "format json"}


@dataclass(frozen=True)
class Files:
    """The files of all parts in one form.

    `names` names a part's file by its key, without the form; or gives for each key the names that its file has: a key
    that is not among them has no file, one without rows a file without rows. `beside` is the digest, by key, of what a
    file shows beside its part's rows.
    """

    form: Form
    names: Names
    query: Query
    beside: Mapping[str, str] = field(default_factory=dict)

    def named(self, keys: Iterable[str]) -> Mapping[str, Sequence[str]]:
        """Return the names of each part's file, with the form."""
        wanted = self.names if isinstance(self.names, Mapping) else {key: [self.names(key)] for key in keys}
        return {key: [f"{name}.{self.form}" for name in names] for key, names in wanted.items()}


def rows_as(columns: str) -> Query:
    """Return the query of a file that shows these columns of its part's rows, in their order."""
    return lambda key, _: f"select {columns} from {ROWS} where {KEY} = {key} order by rowid"


@dataclass(frozen=True)
class Parts:
    """The rows of a query, for each value of its column `part_key` a part; rows without one are in no part.

    `order` must leave no two different rows in the same place, or a part's file would not be the same each time.
    """

    connection: duckdb.DuckDBPyConnection
    sql: str
    order: str

    @cached_property
    def relation(self) -> duckdb.DuckDBPyRelation:
        """Return the rows without their key."""
        return self.connection.sql(f"select * exclude ({KEY}) from ({self.sql})")

    @cached_property
    def _shape(self) -> str:
        return _shape(self.relation)

    @cached_property
    def digests(self) -> dict[str, str]:
        """Return the digest of the rows of each part."""
        query = f"select {KEY}, {_sums(self.relation)} from ({self.sql}) where {KEY} is not null group by {KEY}"
        return {key: str(sums) for key, *sums in self.connection.execute(query).fetchall()}

    def write(self, made: MadeFiles, *kinds: Files) -> None:
        """Write each part once in each kind of file, unless it can be taken over."""
        wanted = [(kind, kind.named(sorted(self.digests))) for kind in kinds]
        missing: dict[str, list[Copy]] = {}
        for kind, named in wanted:
            for part, (name, *_) in named.items():
                key = self._key(made, kind, part)
                if not made.take(name, key):
                    query = kind.query(literal(part), made.since(name, key))
                    missing.setdefault(part, []).append((query, made.place(name), kind.form))
        if missing:
            self._write(missing)
        for kind, named in wanted:
            for part, (name, *others) in named.items():
                if name not in made.files:
                    made.add(name, self._key(made, kind, part))
                for other in others:
                    made.repeat(other, name)

    def _key(self, made: MadeFiles, kind: Files, part: str) -> str:
        shown = kind.query("", UNNAMED), self._shape
        return made.key(kind.form, *shown, self.digests.get(part, ""), kind.beside.get(part, ""))

    def _write(self, missing: Mapping[str, Sequence[Copy]]) -> None:
        """Write the files of parts.

        One statement a file: `partition_by` is faster for small ones, but turns rows of a part round.
        """
        open_desk(self.connection)
        self.connection.execute(
            f"create or replace table {ROWS} as select * from ({self.sql}) where {KEY} in ({literals(missing)}) "
            f"order by {self.order}"
        )
        _copy(self.connection, [copy for part in sorted(missing) for copy in missing[part]])
        self.connection.execute(f"drop table {ROWS}")


def open_desk(connection: duckdb.DuckDBPyConnection) -> None:
    """Let there be the database for tables that files are written from."""
    connection.execute(f"attach if not exists ':memory:' as {DESK} (read_write)")


def write_tables(
    connection: duckdb.DuckDBPyConnection, made: MadeFiles, tables: Mapping[str, Mapping[str, tuple[Form, str]]]
) -> None:
    """Write tables in the order of their rows, each once for each name it is given, in this form and select list."""
    missing: list[tuple[int, str, str, Copy]] = []
    for table, files in tables.items():
        relation = connection.table(table)
        [(count, *sums)] = connection.execute(f"select {_sums(relation, 'rowid')} from {table}").fetchall()
        for name, (form, columns) in files.items():
            key = made.key(f"{form} {columns} {_shape(relation)}", str([count, *sums]))
            if not made.take(name, key):
                missing.append((count, name, key, (f"select {columns} from {table}", made.place(name), form)))
    missing.sort(key=lambda one: -one[0])  # the largest first, so that no processor is left with it at the end
    _copy(connection, [copy for *_, copy in missing])
    for _, name, key, _ in missing:
        made.add(name, key)


def _copy(connection: duckdb.DuckDBPyConnection, copies: Sequence[Copy]) -> None:
    """Write files, as many at a time as there are processors, each on one: so its bytes depend on its rows alone.

    One thread cuts a Parquet file in the same places each time. Without statistics of the whole table no column is
    declared to be without NULL because other rows are.
    """
    workers = settings.get().threads or os.cpu_count() or 1
    left = iter(copies)  # one after another is taken: whoever is done takes the next
    with _each_on_one_thread(connection), ThreadPoolExecutor(workers) as pool:
        list(pool.map(partial(_copy_some, connection), [left] * min(workers, len(copies))))


def _copy_some(connection: duckdb.DuckDBPyConnection, copies: Iterator[Copy]) -> None:
    with connection.cursor() as cursor:
        for query, path, form in copies:
            cursor.execute(f"copy ({query}) to {literal(path)} ({OPTIONS[form]})")


@contextmanager
def _each_on_one_thread(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connection.execute("set threads = 1")
    connection.execute("set disabled_optimizers = 'statistics_propagation'")
    try:
        yield
    finally:
        connection.execute("reset disabled_optimizers")
        connection.execute("reset threads")


def _shape(relation: duckdb.DuckDBPyRelation) -> str:
    return str([*zip(relation.columns, map(str, relation.types), strict=True)])


def _sums(relation: duckdb.DuckDBPyRelation, *more: str) -> str:
    """Return the select list that counts rows and sums two hashes of each row: 128 bits that the rows' order leaves.

    Numbers are hashed by their value and their sign, lists by their values and their length: 0 and -0 are written
    differently, as are an empty list and none, which have one hash.
    """
    columns = [*more]
    for name, kind in zip(relation.columns, map(str, relation.types), strict=True):
        columns.append(f"{identifier(name)}::varchar" if "STRUCT" in kind or "DOUBLE[" in kind else identifier(name))
        columns += [f"signbit({identifier(name)})"] * (kind in ("DOUBLE", "FLOAT"))
        columns += [f"len({identifier(name)})"] * kind.endswith("[]")
    listed = ", ".join(columns)
    return f"count(*), sum(hash({listed})), sum(hash('again', {listed}))"
