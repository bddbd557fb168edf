"""Tables as files: one file for each organisation or indicator, or a whole table, made only where its rows changed.

DuckDB hashes the rows of each part in one query, and writes the parts that the edition before does not have so.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

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
# Several parts are written by one statement. DuckDB empties its buffers of all parts once they hold 524,288 rows, and
# what a Parquet file is cut into would then depend on the other parts: so no statement writes more than this, and a
# part of more rows than a row group has is written by one of its own.
ROWS_TOGETHER, ROWS_ALONE = 500_000, 100_000


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
    def _found(self) -> dict[str, tuple[int, str]]:
        """Return how many rows each part has, and their digest."""
        query = f"select {KEY}, {_sums(self.relation)} from ({self.sql}) where {KEY} is not null group by {KEY}"
        return {key: (count, f"{count} {sums}") for key, count, *sums in self.connection.execute(query).fetchall()}

    def write(self, made: MadeFiles, names: Names, forms: Mapping[Form, Columns]) -> None:
        """Write each part once in each form, unless it can be taken over.

        `names` names a part's file by its key, without the form; or gives for each key the names that its file has: a
        key without rows then gets a file without rows.
        """
        wanted = names if isinstance(names, Mapping) else {key: [names(key)] for key in sorted(self._found)}
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
        _, digest = self._found.get(part, (0, ""))
        return made.key(form, chosen, _shape(self.relation), digest)

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
        """Write parts, all forms at a time, each on one thread: so rows stay in order, and each part in one file."""
        # cursors, of which each form has its own, see the tables of an attached database, but no temporary ones
        self.connection.execute("attach if not exists ':memory:' as at_work (read_write)")
        self.connection.execute(
            f"create or replace table {ROWS} as select * from ({self.sql}) where {KEY} in ({literals(keys)}) "
            f"order by {self.order}"
        )
        self.connection.execute("set threads = 1")
        with ThreadPoolExecutor(len(missing)) as pool:
            list(pool.map(partial(self._write_form, folder), missing.items()))
        self.connection.execute("reset threads")
        self.connection.execute(f"drop table {ROWS}")

    def _write_form(self, folder: Path, wanted: tuple[Form, Missing]) -> None:
        form, found = wanted
        with self.connection.cursor() as cursor:
            for columns, names in found.items():
                for name in names.values():
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                for batch in self._batches(names):
                    self._write_batch(cursor, {key: folder / names[key] for key in batch}, form, columns)

    def _write_batch(
        self, cursor: duckdb.DuckDBPyConnection, paths: Mapping[str, Path], form: Form, columns: str
    ) -> None:
        """Write a part that is alone into its file; others by one statement, then give them their names."""
        chosen = f"select {columns}, {KEY} from {ROWS} where {KEY} in ({literals(paths)})"
        key, path = next(iter(paths.items()))
        if self._is_alone(key):
            rows = f"select * exclude ({KEY}) from ({chosen} order by rowid)"
            cursor.execute(f"copy ({rows}) to {literal(path)} ({OPTIONS[form]})")
            return
        options = f"{OPTIONS[form]}, partition_by ({KEY}), filename_pattern 'rows'"
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".parts-") as temporary:
            cursor.execute(f"copy ({chosen}) to {literal(Path(temporary, 'parts'))} ({options})")
            for part in Path(temporary, "parts").iterdir():
                (found,) = part.iterdir()
                found.rename(paths[unquote(part.name.removeprefix(f"{KEY}="))])

    def _is_alone(self, key: str) -> bool:
        """Whether a part is written by a statement of its own; asked of the part alone, as the bytes depend on it."""
        rows, _ = self._found.get(key, (0, ""))
        return not 0 < rows <= ROWS_ALONE

    def _batches(self, keys: Iterable[str]) -> Iterator[list[str]]:
        """Yield keys whose parts are written by one statement; a large part, or one without rows, is alone."""
        batch: list[str] = []
        held = 0
        for key in keys:
            if self._is_alone(key):
                yield [key]
                continue
            rows, _ = self._found[key]
            if held + rows > ROWS_TOGETHER:
                yield batch
                batch, held = [], 0
            batch.append(key)
            held += rows
        if batch:
            yield batch


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
            connection.execute(f"copy (select {columns} from {table}) to {literal(path)} ({OPTIONS[form]})")
            made.add(name, key)


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
