"""The arrival gate: each release is held against its source's standards before it is landed.

What `columns.csv` implies is generated: the same contract types the file and documents it. Standards that need
meaning are written in `expectations/arrival/<source>.yml`; `needs` names the layouts that one is for ("a|b"), says that
it needs an `earlier` release, or both. Owner and affected marts are those of the source. In their SQL, `{batch}` is the
new release, `earlier` its own last revision, else the landed release of the same dataset that comes before it (failing
that, after it), and `getvariable('dataset')`, `getvariable('release')` are what it is landed as.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb

from expectations import implied, native
from expectations.columns import Column
from expectations.no_values import WORDS, columns_with_no_values, without_no_values
from expectations.results import Result
from expectations.standards import Standard, load_standards
from perinatal import settings
from perinatal.settings import PROJECT_ROOT
from perinatal.sql import identifier

SUITES = Path(__file__).parent / "arrival"
SEEDS = PROJECT_ROOT / "dbt_project" / "seeds" / "reference"
MOST_CELLS = 8
# rows of a release that are held as a table: planning what nulls masked cells, for each standard, costs more than that
MOST_HELD = 100_000

# What two spellings of one key have in common, for standards that ask whether a key stands twice: codes and names
# without case, spaces and punctuation; labels of categories keep the signs that tell them apart (<37, >=37, 2-3, 2.5).
KEYS = (
    "key_of(word) as regexp_replace(lower(coalesce(word, '')), '[^[:alnum:]]', '', 'g')",
    "label_key(label) as regexp_replace(lower(coalesce(label, '')), '[^[:alnum:]<>=+.-]', '', 'g')",
    "organisation_key(code, name) as coalesce(nullif(key_of(code), ''), key_of(name))",
    "number_key(cell) as coalesce(try_cast(cell as double)::varchar, lower(trim(cell)), '')",
)


@dataclass(frozen=True)
class Earlier:
    """The landed release that a new one is compared with: its name, and its rows as Parquet."""

    release: str
    rows: Path


@dataclass(frozen=True)
class Arrived:
    """A typed release as it asks to be landed.

    `rows` is its Parquet file, `row_count` counts the rows in it; `malformed` are (line, reason) of lines that do not
    have the header's fields. `columns` is the header contract, `template` names the layout of our own that it uses.
    """

    source_id: str
    dataset: str
    release: str
    layout: str
    published_on: str | None
    columns: tuple[Column, ...]
    rows: Path
    row_count: int
    malformed: Sequence[tuple[int, str]]
    new_columns: Sequence[str]
    absent_columns: Sequence[str]
    refuses_malformed: bool
    is_restricted: bool
    template: str | None
    owner: str
    marts: tuple[str, ...]
    earlier: Earlier | None


def judge(arrived: Arrived) -> list[Result]:
    """Return the verdicts on one typed release."""
    with duckdb.connect(config=_config(arrived)) as connection:
        for name, value in (("dataset", arrived.dataset), ("release", arrived.release)):
            connection.execute(f"set variable {name} = ?", [value])
        make_keys(connection)
        present = _make_rows(connection, arrived)
        _make_identity(connection, arrived)
        _make_side_tables(connection, arrived)
        standards = _standards(connection, arrived, present)
        _make_seeds(connection, standards)
        suite = f"arrival_{arrived.source_id}_{arrived.layout}"
        shown = _shown_of_restricted if arrived.is_restricted else _shown
        return native.validate_tables(connection, standards, suite=suite, shown=lambda one: partial(shown, one))


def _config(arrived: Arrived) -> dict[str, str | bool | int | float | list[str]]:
    """Return DuckDB's settings: a second thread costs more than it brings where rows are few and queries many."""
    alone: dict[str, int] = {"threads": 1} if arrived.row_count <= MOST_HELD else {}
    return {"memory_limit": settings.get().landing_memory_limit, **alone}


def make_keys(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the SQL functions by which standards compare codes, names, labels and numbers."""
    for macro in KEYS:
        connection.execute(f"create macro {macro}")


def blocked_at_release(rule: str) -> str | None:
    """Return the standard of the release gate that is sure to fail where this one of the arrival gate does."""
    written = (one for path in sorted(SUITES.glob("*.yml")) for one in load_standards(path))
    return next((one.blocked_by for one in written if one.id == rule and one.blocked_by), None)


def _standards(connection: duckdb.DuckDBPyConnection, arrived: Arrived, present: set[str]) -> list[Standard]:
    """Return all that is asked of a release, with the owner and marts of its source."""
    columns = [column for column in arrived.columns if column.name in present]
    known = [column.name for column in arrived.columns] + [name for name in implied.LINEAGE if name in present]
    # names of columns are cells of the file too
    new, absent = ((), ()) if arrived.is_restricted else (arrived.new_columns, arrived.absent_columns)
    found = implied.table_standards(known, new, absent, arrived.refuses_malformed)
    found += implied.column_standards(columns, _unreadable(connection))
    at_hand = {arrived.layout, "earlier"} if arrived.earlier else {arrived.layout}
    found += [standard for standard in _written(arrived) if standard.is_for(at_hand)]
    return [one.model_copy(update={"owner": arrived.owner, "affected_marts": arrived.marts}) for one in found]


def _written(arrived: Arrived) -> tuple[Standard, ...]:
    shared = load_standards(SUITES / f"template_{arrived.template}.yml") if arrived.template else ()
    return shared + load_standards(SUITES / f"{arrived.source_id}.yml")


def _unreadable(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the columns in which a cell could not be read as its column's type."""
    found = connection.execute("select distinct unnest(cast_errors) from rows where cast_errors is not null").fetchall()
    return {name for (name,) in found}


def _make_rows(connection: duckdb.DuckDBPyConnection, arrived: Arrived) -> set[str]:
    """Make `rows` and `earlier`; returns the columns that the file has.

    Columns that it lacks (older headers) are there for the standards, and empty.
    """
    present = _name_rows(connection, arrived, arrived.rows, "rows")
    if arrived.earlier:
        _name_rows(connection, arrived, arrived.earlier.rows, "earlier")
    return present


def _name_rows(connection: duckdb.DuckDBPyConnection, arrived: Arrived, rows: Path, name: str) -> set[str]:
    """Give landed rows in which masked and missing cells are empty a name; returns the columns of the file.

    A table where they are few, else a view that looks for such cells only in the columns that have any.
    """
    landed = connection.from_parquet(str(rows))
    present = set(landed.columns)
    absent = [f"null::{c.sql_type} as {identifier(c.name)}" for c in arrived.columns if c.name not in present]
    landed.project(", ".join(["*", *absent])).create_view(f"{name}_as_landed")
    words = WORDS if WORDS in present else "null"
    [(count, with_words)] = landed.aggregate(f"count(*), count({words})").fetchall()
    readable = present if with_words else present - {WORDS}
    is_held, known = count <= MOST_HELD, list(arrived.columns)
    columns = known if is_held else columns_with_no_values(connection, f"{name}_as_landed", known, readable)
    query = without_no_values(f"{name}_as_landed", columns, readable)
    connection.execute(f"create {'table' if is_held else 'view'} {identifier(name)} as {query}")
    return {*present, "masked_cells", "missing_cells"}


def _make_identity(connection: duckdb.DuckDBPyConnection, arrived: Arrived) -> None:
    """Put beside the rows what the release is taken to be, and what it is compared with."""
    connection.execute(
        "create table identity as select $source as source_id, $dataset as dataset, $release as release, "
        "$published_on::date as published_on, $earlier as earlier_release",
        {
            "source": arrived.source_id,
            "dataset": arrived.dataset,
            "release": arrived.release,
            "published_on": arrived.published_on,
            "earlier": arrived.earlier.release if arrived.earlier else None,
        },
    )


def _make_side_tables(connection: duckdb.DuckDBPyConnection, arrived: Arrived) -> None:
    """Put beside the rows the lines that could not be read, and the columns that the header names in vain."""
    connection.execute("create table malformed (line bigint, why varchar)")
    connection.execute("create table absent_columns (named varchar)")
    for line, why in arrived.malformed:
        connection.execute("insert into malformed values (?, ?)", [line, why])
    for name in arrived.absent_columns:
        connection.execute("insert into absent_columns values (?)", [name])


def _make_seeds(connection: duckdb.DuckDBPyConnection, standards: list[Standard]) -> None:
    """Put beside the rows the seeds that standards name."""
    named = {name for one in standards for name in re.findall(r"\bseed_(\w+)", one.query)}
    for name in sorted(named):
        # how they are written is said: to find it out takes longer than to read these small files
        seed = connection.read_csv(
            str(SEEDS / f"{name}.csv"), all_varchar=True, header=True, delimiter=",", quotechar='"', escapechar='"'
        )
        seed.create(f"seed_{name}")


def _shown(standard: Standard, columns: Sequence[str]) -> list[str]:
    """Show of an example row what names it, and the columns that a standard of the contract is about.

    Examples end in alerts and in quality.check_result, which ship: other numbers of a raw row may give masks away.
    """
    return [name for name in columns if native.names_a_row(name) or name in standard.shows][:MOST_CELLS]


def _shown_of_restricted(standard: Standard, columns: Sequence[str]) -> list[str]:  # noqa: ARG001 - as _shown
    """Show of an example row its number in the file alone."""
    return [name for name in columns if name in ("source_row", "line")]
