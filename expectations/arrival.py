"""The arrival gate: each release is held against its source's standards before it is landed.

Column rules are generated from `columns.csv`, the same contract that types the file and documents it; rules that
need meaning are written in `expectations/arrival/<source>.yml`; `needs` names the layouts that one is for ("a|b"), says
that it needs an `earlier` release, or both. Owner and affected marts are those of the source. In their SQL, `rows` is
the new release, `earlier` its own last revision, else the landed release of the same dataset that comes before it
(failing that, after it), and `getvariable('dataset')`, `getvariable('release')` are what it is landed as.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from expectations import gate
from expectations.checks import Measured, Result, Rule, load_rules, measure, records
from expectations.columns import TEXT_TYPES, Column
from perinatal import settings
from perinatal.printable import listed
from perinatal.settings import PROJECT_ROOT
from perinatal.sql import identifier, literal, literals

SUITES = Path(__file__).parent / "arrival"
SEEDS = PROJECT_ROOT / "dbt_project" / "seeds" / "reference"


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
    with duckdb.connect(config={"memory_limit": settings.get().landing_memory_limit}) as connection:
        for name, value in (("dataset", arrived.dataset), ("release", arrived.release)):
            connection.execute(f"set variable {name} = ?", [value])
        present = _make_rows(connection, arrived)
        _make_identity(connection, arrived)
        measured = _table_rules(arrived)
        measured += _column_rules(connection, [column for column in arrived.columns if column.name in present])
        at_hand = {arrived.layout, "earlier"} if arrived.earlier else {arrived.layout}
        hand_written = [rule for rule in _written_rules(arrived) if rule.is_for(at_hand)]
        _make_seeds(connection, hand_written)
        measured += [
            replace(item, rows=[_named(row) for row in item.rows]) for item in measure(connection, hand_written)
        ]
    if arrived.is_restricted:
        measured = [_numbers_only(item) for item in measured]
    tags: dict[str, Any] = {"owner": arrived.owner, "marts": arrived.marts}
    measured = [replace(item, rule=replace(item.rule, **tags)) for item in measured]
    return gate.judge(f"arrival_{arrived.source_id}_{arrived.layout}", measured)


def _make_rows(connection: duckdb.DuckDBPyConnection, arrived: Arrived) -> set[str]:
    """Make the views `rows` and `earlier`; returns the columns that the file has.

    Columns that it lacks (older headers) are there for the rules, and empty.
    """
    landed = connection.from_parquet(str(arrived.rows))
    present = set(landed.columns)
    absent = [f"null::{c.sql_type} as {identifier(c.name)}" for c in arrived.columns if c.name not in present]
    landed.project(", ".join(["*", *absent])).create_view("rows")
    if arrived.earlier:
        connection.from_parquet(str(arrived.earlier.rows)).create_view("earlier")
    return present


def _written_rules(arrived: Arrived) -> tuple[Rule, ...]:
    shared = load_rules(SUITES / f"template_{arrived.template}.yml") if arrived.template else ()
    return shared + load_rules(SUITES / f"{arrived.source_id}.yml")


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


def _make_seeds(connection: duckdb.DuckDBPyConnection, rules: list[Rule]) -> None:
    """Put beside the rows the seeds that rules name."""
    named = {name for rule in rules for name in re.findall(r"\bseed_(\w+)", f"{rule.offending} {rule.measure}")}
    for name in sorted(named):
        connection.read_csv(str(SEEDS / f"{name}.csv"), all_varchar=True).create_view(f"seed_{name}")


def _numbers_only(item: Measured) -> Measured:
    """Keep of example rows their numbers in the file alone."""
    kept = ("source_row", "line")
    return replace(item, rows=[{name: row[name] for name in kept if name in row} for row in item.rows])


def _table_rules(arrived: Arrived) -> list[Measured]:
    """Return the rules on the table as a whole: it has rows, lines have the header's fields, columns are known."""
    malformed = [{"line": line, "why": why} for line, why in arrived.malformed[:5]]
    first = f": line {malformed[0]['line']} {malformed[0]['why']}" if malformed else ""
    new, absent = listed(arrived.new_columns), listed(arrived.absent_columns)
    return [
        Measured(
            Rule(
                "has_rows",
                "The file has rows under its header",
                "block",
                "completeness",
                "Download the file again.",
                minimum=1,
            ),
            float(arrived.row_count),
        ),
        Measured(
            Rule(
                "lines_have_all_fields",
                "Every line has as many fields as the header",
                "block" if arrived.refuses_malformed else "warn",
                "validity",
                "The file may be cut off or damaged: download it again.",
                maximum=0,
            ),
            float(len(arrived.malformed)),
            malformed,
            f"{len(arrived.malformed):,} line(s) do not have the header's fields{first}",
        ),
        Measured(
            Rule(
                "columns_are_known",
                "Every column is in the header contract",
                "warn",
                "consistency",
                "New columns are kept; say in columns.csv what they mean.",
                maximum=0,
            ),
            float(len(arrived.new_columns)),
            message=f"new column(s), kept: {new}" if new else "",
        ),
        Measured(
            Rule(
                "header_names_no_absent_column",
                "Every column that the header names is in the rows",
                "warn",
                "consistency",
                "Read as absent: only optional last columns are concerned.",
                maximum=0,
            ),
            float(len(arrived.absent_columns)),
            message=f"column(s) in the header that no row has: {absent}" if absent else "",
        ),
    ]


def _predicates(column: Column) -> list[tuple[Rule, str]]:
    """Return the rules that `columns.csv` states of one column, each with the SQL of an offending row."""
    name, quoted = column.name, identifier(column.name)
    found: list[tuple[str, str, str]] = []
    if column.type not in TEXT_TYPES:
        found.append(
            (
                "type",
                f"{name} is of type {column.type}",
                f"cast_errors is not null and list_contains(cast_errors, '{name}')",
            )
        )
    if not column.nullable:
        blank = "" if column.type == "text" else f" and not coalesce(list_contains(cast_errors, '{name}'), false)"
        found.append(("filled", f"{name} is filled", f"{quoted} is null{blank}"))
    if column.minimum is not None:
        found.append(("minimum", f"{name} is at least {column.minimum:g}", f"{quoted} < {column.minimum!r}"))
    if column.maximum is not None:
        found.append(("maximum", f"{name} is at most {column.maximum:g}", f"{quoted} > {column.maximum!r}"))
    if column.allowed:
        allowed = literals(column.allowed)
        found.append(("set", f"{name} is one of {', '.join(column.allowed)}", f"{quoted}::varchar not in ({allowed})"))
    if column.pattern:
        found.append(
            (
                "pattern",
                f"{name} looks like {column.pattern}",
                f"not regexp_full_match({quoted}::varchar, {literal(column.pattern)})",
            )
        )
    return [
        (
            Rule(
                f"{name}__{kind}",
                says,
                column.severity if kind != "type" else "block",
                "completeness" if kind == "filled" else "validity",
                "Compare the rows with the publisher's page; ask the publisher.",
                maximum=0,
            ),
            predicate,
        )
        for kind, says, predicate in found
    ]


def _column_rules(connection: duckdb.DuckDBPyConnection, columns: list[Column]) -> list[Measured]:
    """Measure all column rules in one pass over the rows; look up example rows for those that fail."""
    rules = [pair for column in columns for pair in _predicates(column)]
    if not rules:
        return []
    counts = connection.sql(
        "select " + ", ".join(f"count(*) filter (where {predicate})" for _, predicate in rules) + " from rows"
    ).fetchall()[0]
    measured = []
    for (rule, predicate), count in zip(rules, counts, strict=True):
        rows = records(connection.table("rows").filter(predicate).limit(3)) if count else []
        numbers = ", ".join(str(row["source_row"]) for row in rows)
        message = f"{rule.says}: {count:,} row(s) do not, first at row {numbers}" if count else ""
        measured.append(Measured(rule, float(count), [_brief(row, rule) for row in rows], message))
    return measured


def _brief(row: dict[str, object], rule: Rule) -> dict[str, object]:
    """Keep of an example row its number, the value concerned and what names it."""
    return _named(row, rule.id.rsplit("__", 1)[0])


def _named(row: dict[str, object], *columns: str) -> dict[str, object]:
    """Keep of an example row what names it, and the columns given.

    Examples end in alerts and in quality.check_result, which ship: other numbers of a raw row may give masks away.
    """
    names = [name for name in row if name.endswith(("_name", "_code")) or name in ("source_row", *columns)]
    return {name: row[name] for name in names[:8]}
