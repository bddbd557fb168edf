"""The arrival gate: each release is held against its source's standards before it is landed.

Column rules are generated from `columns.csv`, the same contract that types the file and documents it; rules that
need meaning are written in `expectations/arrival/<source>.yml`; `needs` names the layouts that one is for ("a|b"),
or says that it needs an `earlier` release. In their SQL, `rows` is the new release, `earlier`
the newest landed release of the same dataset (its own last revision first).
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from expectations import gate
from expectations.checks import Measured, Result, Rule, load_rules, measure, records
from ingest import manifest as manifests
from ingest.decode import Decoded
from ingest.registry import Column, Identity, Source
from perinatal.home import Home

SUITES = Path(__file__).parent / "arrival"


def judge(
    source: Source,
    identity: Identity,
    decoded: Decoded,
    rows: Path,
    revisions: list[manifests.Manifest],
    home: Home,
    is_synthetic: bool,
) -> list[Result]:
    """Return the verdicts on one decoded release."""
    with duckdb.connect() as connection:
        connection.from_parquet(str(rows)).create_view("rows")
        previous = _earlier(home, source.id, identity, revisions, is_synthetic)
        if previous:
            connection.from_parquet(str(previous.folder(home) / manifests.ROWS)).create_view("earlier")
        present = set(connection.table("rows").columns)
        measured = _table_rules(source, decoded)
        measured += _column_rules(connection, [c for c in source.columns[identity.contract] if c.name in present])
        hand_written = [
            rule
            for rule in load_rules(SUITES / f"{source.id}.yml")
            if rule.needs is None
            or identity.contract in rule.needs.split("|")
            or (rule.needs == "earlier" and previous)
        ]
        measured += measure(connection, hand_written)
    return gate.judge(f"arrival_{source.id}_{identity.contract}", measured)


def _earlier(
    home: Home, source_id: str, identity: Identity, revisions: list[manifests.Manifest], is_synthetic: bool
) -> manifests.Manifest | None:
    """Return what to compare with; real releases are never held against sample ones."""
    if revisions:
        return revisions[-1]
    others = [
        item
        for item in manifests.all_landed(home)
        if (item.source_id, item.dataset, item.is_synthetic) == (source_id, identity.dataset, is_synthetic)
        and item.release != identity.release
    ]
    return max(others, key=lambda item: (item.release, item.revision), default=None)


def _table_rules(source: Source, decoded: Decoded) -> list[Measured]:
    """Return the rules on the table as a whole: it has rows, lines have the header's fields, columns are known."""
    malformed = [{"line": line, "why": why} for line, why in decoded.malformed[:5]]
    first = f": line {malformed[0]['line']} {malformed[0]['why']}" if malformed else ""
    new, absent = ", ".join(decoded.new_columns), ", ".join(decoded.absent_trailing_columns)
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
            float(decoded.rows),
        ),
        Measured(
            Rule(
                "lines_have_all_fields",
                "Every line has as many fields as the header",
                "block" if source.malformed_rows == "refuse" else "warn",
                "validity",
                "The file may be cut off or damaged: download it again.",
                maximum=0,
            ),
            float(len(decoded.malformed)),
            malformed,
            f"{len(decoded.malformed):,} line(s) do not have the header's fields{first}",
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
            float(len(decoded.new_columns)),
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
            float(len(decoded.absent_trailing_columns)),
            message=f"column(s) in the header that no row has: {absent}" if absent else "",
        ),
    ]


def _predicates(column: Column) -> list[tuple[Rule, str]]:
    """Return the rules that `columns.csv` states of one column, each with the SQL of an offending row."""
    name, quoted = column.name, '"' + column.name.replace('"', '""') + '"'
    found: list[tuple[str, str, str]] = []
    if column.type not in ("text", "interval_text"):
        found.append(
            (
                "type",
                f"{name} is of type {column.type}",
                f"coalesce(list_contains(cast_errors, '{name}'), false)",
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
        allowed = ", ".join("'" + value.replace("'", "''") + "'" for value in column.allowed)
        found.append(("set", f"{name} is one of {', '.join(column.allowed)}", f"{quoted}::varchar not in ({allowed})"))
    if column.pattern:
        pattern = column.pattern.replace("'", "''")
        found.append(
            (
                "pattern",
                f"{name} looks like {column.pattern}",
                f"not regexp_full_match({quoted}::varchar, '{pattern}')",
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
    column = rule.id.rsplit("__", 1)[0]
    names = [name for name in row if name.endswith(("_name", "_code")) or name in ("source_row", column)]
    return {name: row[name] for name in names[:8]}
