"""Tables as files: one file for each organisation or indicator, or a whole table, made only where its rows changed.

DuckDB hashes the rows of each part in one query, and writes the parts that the edition before does not have so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Literal

import duckdb

from perinatal.made_files import MadeFiles, Since
from perinatal.sql import identifier, literal, literals

Form = Literal["csv", "parquet", "json"]
# a select list; or one for each edition since which a file reads as it does, where the file says so
Columns = str | Callable[[Since], str]
Names = Callable[[str], str] | Mapping[str, Sequence[str]]
Missing = dict[str, dict[str, str]]  # select list → key of a part → name of its file

KEY = "part_key"
ROWS = "at_work.part_row"
OPTIONS = {"csv": "format csv, header", "parquet": "format parquet, compression zstd", "json": "format json"}


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
    def _digests(self) -> dict[str, str]:
        """Return the digest of the rows of each part."""
        query = f"select {KEY}, {_sums(self.relation)} from ({self.sql}) where {KEY} is not null group by {KEY}"
        return {key: str(sums) for key, *sums in self.connection.execute(query).fetchall()}

    def write(self, made: MadeFiles, names: Names, forms: Mapping[Form, Columns]) -> None:
        """Write each part once in each form, unless it can be taken over.

        `names` names a part's file by its key, without the form; or gives for each key the names that its file has: a
        key without rows then gets a file without rows.
        """
        wanted = names if isinstance(names, Mapping) else {key: [names(key)] for key in sorted(self._digests)}
        missing = {form: self._take(made, wanted, form, columns) for form, columns in forms.items()}
        if any(missing.values()):
            keys = {key: None for found in missing.values() for part in found.values() for key in part}
            self._write(made.folder, keys, missing)
        for form, columns in forms.items():
            for key in (key for part in missing[form].values() for key in part):
                made.add(f"{wanted[key][0]}.{form}", self._key(made, key, form, columns))
            for name, *others in wanted.values():
                for other in others:
                    made.repeat(f"{other}.{form}", f"{name}.{form}")

    def _key(self, made: MadeFiles, part: str, form: Form, columns: Columns) -> str:
        chosen = columns if isinstance(columns, str) else ""
        return made.key(form, chosen, _shape(self.relation), self._digests.get(part, ""))

    def _take(self, made: MadeFiles, wanted: Mapping[str, Sequence[str]], form: Form, columns: Columns) -> Missing:
        """Take over what can be; returns the names of the other files by key, for each select list."""
        missing: Missing = {}
        for part, (stem, *_) in wanted.items():
            name, key = f"{stem}.{form}", self._key(made, part, form, columns)
            if not made.take(name, key):
                chosen = columns if isinstance(columns, str) else columns(made.since(name, key))
                missing.setdefault(chosen, {})[part] = name
        return missing

    def _write(self, folder: Path, keys: Iterable[str], missing: Mapping[Form, Missing]) -> None:
        """Write parts, all forms at a time.

        One statement a part: `partition_by` is faster for small ones, but turns rows of a part round.
        """
        # cursors, of which each form has its own, see the tables of an attached database, but no temporary ones
        self.connection.execute("attach if not exists ':memory:' as at_work (read_write)")
        self.connection.execute(
            f"create or replace table {ROWS} as select * from ({self.sql}) where {KEY} in ({literals(keys)}) "
            f"order by {self.order}"
        )
        with _by_own_rows(self.connection), ThreadPoolExecutor(len(missing)) as pool:
            list(pool.map(partial(self._write_form, folder), missing.items()))
        self.connection.execute(f"drop table {ROWS}")

    def _write_form(self, folder: Path, wanted: tuple[Form, Missing]) -> None:
        form, found = wanted
        with self.connection.cursor() as cursor:
            for columns, names in found.items():
                for key, name in names.items():
                    path = folder / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    rows = f"select {columns} from {ROWS} where {KEY} = {literal(key)} order by rowid"
                    cursor.execute(f"copy ({rows}) to {literal(path)} ({OPTIONS[form]})")


def write_table(
    connection: duckdb.DuckDBPyConnection, table: str, made: MadeFiles, forms: Mapping[str, tuple[Form, str]]
) -> None:
    """Write a table in the order of its rows, once for each name in `forms` with its form and select list."""
    relation = connection.table(table)
    found = connection.execute(f"select {_sums(relation, 'rowid')} from {table}").fetchall()
    for name, (form, columns) in forms.items():
        key = made.key(f"{form} {columns} {_shape(relation)}", str(found))
        if not made.take(name, key):
            path = made.place(name)
            with _by_own_rows(connection):
                connection.execute(f"copy (select {columns} from {table}) to {literal(path)} ({OPTIONS[form]})")
            made.add(name, key)


@contextmanager
def _by_own_rows(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let what is written meanwhile depend on its rows alone.

    One thread cuts a Parquet file in the same places each time. Without statistics of the whole table no column is
    declared to be without NULL because other rows are.
    """
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

    Numbers are hashed by their value and their sign: 0 and -0 are written differently.
    """
    columns = [*more]
    for name, kind in zip(relation.columns, map(str, relation.types), strict=True):
        columns.append(f"{identifier(name)}::varchar" if "STRUCT" in kind or "DOUBLE[" in kind else identifier(name))
        columns += [f"signbit({identifier(name)})"] * (kind in ("DOUBLE", "FLOAT"))
    listed = ", ".join(columns)
    return f"count(*), sum(hash({listed})), sum(hash('again', {listed}))"
