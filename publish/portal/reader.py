"""Read an edition's shipped schemas (reference, core, marts, quality) into the model: a few set-based queries.

A table that the edition does not hold gives an empty list; a column that it does not hold is missing from the records,
which the templates read with `.get`. Staging is never read: what the pages show is what ships.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import duckdb

from publish import marts
from publish.portal import origins, page_queries
from publish.portal.model import Edition, Facts, Record, SeriesKey, Value
from publish.portal.wording import slug
from warehouse import statistics as stats

# of `quality.source_health`: not the age in days, which would make a page another one every day
HEALTH = ("latest_period_end", "next_due", "late_from", "rows_in", "rows_mart", "rows_excluded", "rows_quarantined")


class Reader:
    """Queries on one edition file."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.tables: dict[str, dict[str, str]] = defaultdict(dict)
        for schema, table, column, kind in connection.execute(
            "select table_schema, table_name, column_name, data_type from information_schema.columns "
            "where table_schema in ('reference', 'core', 'marts', 'quality') and table_catalog = current_database() "
            "order by table_schema, table_name, ordinal_position"
        ).fetchall():
            self.tables[f"{schema}.{table}"][column] = kind

    def has(self, *tables: str) -> bool:
        """Whether the edition holds these tables."""
        return all(table in self.tables for table in tables)

    def rows(self, sql: str, *needs: str) -> list[Record]:
        """Return records, or none where a table is missing that the query needs."""
        if not self.has(*needs):
            return []
        cursor = self.connection.execute(sql)
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def all_of(self, table: str, order: str = "all") -> list[Record]:
        """Return a whole (small) table."""
        return self.rows(f"select * from {table} order by {order}", table)

    def annotations(self) -> list[Record]:
        """Return what organisations say to their figures, newest first."""
        return self.all_of("marts.annotation", "said_on desc, organisation_code, indicator_id, annotation_id")

    def grouped(self, records: list[Record], key: Callable[[Record], Any]) -> dict[Any, list[Record]]:
        """Return records by a key, in their order."""
        found: dict[Any, list[Record]] = defaultdict(list)
        for record in records:
            found[key(record)].append(record)
        return dict(found)

    def make_headline(self) -> None:
        """Put the values for everybody (breakdown all) of all four levels under one name."""
        parts = [page_queries.headline(level, mart) for level, mart in marts.BY_LEVEL.items() if self.has(mart.table)]
        self.connection.execute(f"create or replace temp table headline as {' union all '.join(parts)}")

    def values(self) -> list[Value]:
        """Return the newest values."""
        rows = self.rows(page_queries.NEWEST)
        return [Value(**row) for row in rows]

    def series(self) -> dict[SeriesKey, list[Record]]:
        """Return the last points of every series."""
        return {
            (row["level"], row["code"], row["indicator_id"], row["source_id"]): row["points"]
            for row in self.rows(page_queries.SERIES)
        }

    def releases(self) -> dict[str, Record]:
        """Return the releases by key, each with the name of its page and what pages show of `source_health`."""
        health = {
            row["release_key"]: {name: row.get(name) for name in HEALTH}
            for row in self.all_of("quality.source_health", "release_key")
        }
        found: dict[str, Record] = {}
        taken: set[str] = set()
        for row in self.all_of("core.dim_release", "release_key"):
            key = row["release_key"]
            name = slug(key.rsplit("/", 1)[-1])
            page = name if name not in taken else slug(key)
            taken.add(page)
            row.pop("precedence", None)  # not shown, and another one as soon as other releases land
            found[key] = row | {"page": page, "health": health.get(key, {})}
        return found


def read(connection: duckdb.DuckDBPyConnection, facts: Facts) -> Edition:
    """Read an edition; leaves the temporary table `headline` on the connection."""
    reader = Reader(connection)
    reader.make_headline()
    vocabulary = reader.all_of("reference.usage_warning", "rowid")
    return Edition(
        facts=facts,
        values=reader.values(),
        series=reader.series(),
        lms=reader.all_of("core.dim_lms", "lms_name"),
        trusts={row["code"]: row for row in reader.rows(page_queries.TRUSTS)},
        hospitals=reader.rows(page_queries.HOSPITALS),
        indicators={row["indicator_id"]: row for row in reader.all_of("core.dim_indicator", "indicator_id")},
        releases=reader.releases(),
        warnings={row["usage_warning"]: row["says"] for row in vocabulary},
        faults=frozenset(row["usage_warning"] for row in vocabulary if row.get("kind") == "fault"),
        tables=dict(reader.tables),
        figures=reader.rows(origins.figures(reader.has), *origins.NEEDED),
        row_counts=_row_counts(reader),
        ambitions=reader.all_of("reference.ambition", "rowid"),
        actuals=reader.all_of("marts.national_ambition", "ambition_id, definition, geography, year, period"),
        trajectory=reader.all_of("core.ambition_trajectory", "trajectory_id, year"),
        positions=reader.rows(page_queries.POSITIONS, "marts.ambition_position"),
        attention=reader.rows(page_queries.ATTENTION, "marts.attention"),
        births=_by(reader.rows(page_queries.BIRTHS), "level", "code"),
        deprived=_by(
            reader.rows(page_queries.DEPRIVED, "marts.lms_indicator", "marts.trust_indicator"), "level", "code"
        ),
        spreads=_by(
            reader.rows(stats.render(page_queries.SPREADS), "reference.usage_warning"),
            "level",
            "indicator_id",
            "source_id",
        ),
        signals=reader.grouped(
            reader.rows(page_queries.SIGNALS, "marts.signal"),
            lambda row: (row["level"], row["organisation_code"], row["indicator_id"], row["source_id"]),
        ),
        inequality=reader.grouped(
            reader.rows(page_queries.INEQUALITY, "marts.inequality"),
            lambda row: (row["level"], row["organisation_code"]),
        ),
        board=reader.grouped(
            reader.all_of("marts.board_dashboard", "trust_code, place, indicator_id, source_id"),
            lambda row: row["trust_code"],
        ),
        annotations=reader.annotations(),
        board_measures=reader.all_of("reference.board_measure", "place"),
        compliance=reader.grouped(
            reader.rows(page_queries.COMPLIANCE, "marts.compliance"), lambda row: row["organisation_code"]
        ),
        themes=reader.all_of("marts.theme", "theme_id"),
        evidence=reader.grouped(
            reader.rows(page_queries.EVIDENCE, "marts.theme_evidence", "core.fct_finding"), lambda row: row["theme_id"]
        ),
        theme_reviews={row["theme_id"]: row for row in reader.all_of("marts.theme_review", "theme_id")},
        theme_bodies=reader.grouped(
            reader.all_of("marts.theme_body", "theme_id, emphasis desc, body"), lambda row: row["theme_id"]
        ),
        theme_figures=reader.grouped(
            reader.all_of("marts.theme_figure", "theme_id, body, period_end, statement"),
            lambda row: row["theme_id"],
        ),
        theme_indicators=reader.grouped(
            reader.all_of("marts.theme_indicator", "theme_id, indicator_id, source_id"), lambda row: row["theme_id"]
        ),
        others=reader.grouped(
            reader.rows(page_queries.OTHER_LEVELS, "marts.organisation_indicator"), lambda row: row["indicator_id"]
        ),
        results=reader.grouped(reader.rows(page_queries.RESULTS, "marts.compliance"), lambda row: row["standard"]),
        health=reader.all_of("quality.source_health", "source_id, dataset, latest_period_end desc, release_key"),
        checks=reader.all_of("quality.check_result", "suite, release_key, rule"),
        alerts=reader.all_of("quality.alert", "opened_at desc, alert_id"),
        completeness=reader.all_of("quality.org_completeness"),
        judgements=reader.all_of("quality.judgement_change", "kind, subject"),
        change_counts=reader.rows(page_queries.CHANGE_COUNTS, "marts.edition_change"),
        changes=reader.rows(page_queries.CHANGES, "marts.edition_change"),
        categories=reader.grouped(
            reader.rows(page_queries.CATEGORIES, "marts.england_indicator"), lambda row: row["indicator_id"]
        ),
    )


def _by(rows: list[Record], *columns: str) -> dict[Any, Record]:
    return {tuple(row[column] for column in columns): row for row in rows}


def _row_counts(reader: Reader) -> dict[str, int]:
    rows = reader.rows("select schema_name || '.' || table_name as name, estimated_size as size from duckdb_tables()")
    return {row["name"]: row["size"] for row in rows}
