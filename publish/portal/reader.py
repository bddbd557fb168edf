"""Read an edition's shipped schemas (reference, core, marts, quality) into the model: a few set-based queries.

A table that the edition does not hold gives an empty list; a column that it does not hold is missing from the records,
which the templates read with `.get`. Staging is never read: what the pages show is what ships.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import duckdb

from publish.portal.model import Edition, Facts, Record, SeriesKey, Value
from publish.portal.wording import slug

SERIES_POINTS = 36
CHANGES_SHOWN = 300
EVIDENCE_SHOWN = 60
FAR = "date '9999-12-31'"

# the four headline levels: code, name, LMS, region of each mart
LEVELS = {
    "trust": ("trust_code", "trust_name", "lms_code", "region_code"),
    "lms": ("lms_code", "lms_name", "lms_code", "region_code"),
    "region": ("region_code", "region_name", "null", "region_code"),
    "england": ("'E92000001'", "'England'", "null", "null"),
}
SHARED = (
    "indicator_id, indicator_name, source_id, period_label, period_start, period_end, numerator, denominator, value, "
    "unit, lower_95, upper_95, lower_998, upper_998, publisher_value, adjusted_value, adjusted_lower_95, "
    "adjusted_upper_95, comparator_value, comparison, publisher_band, recent_trend, is_suppressed, usage_warnings, "
    "release_key"
)
AREA_COLUMNS = "trusts_expected, trusts_reporting, is_complete, value_min, value_max"
NO_AREA_COLUMNS = (
    "null::integer as trusts_expected, null::integer as trusts_reporting, null::boolean as is_complete, "
    "null::double as value_min, null::double as value_max"
)

# newest value of each indicator, organisation and source; the comparator's name stands in core only
NEWEST = """
with
    ranked as (
        select
            *,
            max(period_end) over (partition by level, source_id, indicator_id) = period_end as is_current
        from headline
        qualify
            row_number() over (
                partition by level, code, source_id, indicator_id order by period_end desc, period_start desc
            )
            = 1
    ),
    named as (
        select
            source_id, indicator_id, period_start, period_end, level, organisation_code,
            any_value(comparator_name) as comparator_name
        from core.fct_observation
        where breakdown = 'all' and level = 'trust' and comparator_name is not null
        group by all
    )
select
    ranked.level, code, name, lms_code, region_code, {shared}, {area}, is_current, named.comparator_name
from ranked
left join
    named
    on ranked.level = named.level
    and ranked.code = named.organisation_code
    and ranked.source_id = named.source_id
    and ranked.indicator_id = named.indicator_id
    and ranked.period_start = named.period_start
    and ranked.period_end = named.period_end
order by ranked.source_id, ranked.indicator_id, ranked.level, code
"""

# points of the newest value's period length only: months and years never stand in one line
SERIES = f"""
with
    newest as (
        select level, code, source_id, indicator_id, arg_max(months, (period_end, period_start)) as months
        from headline
        group by all
    ),
    last_points as (
        select headline.*
        from headline
        inner join newest using (level, code, source_id, indicator_id, months)
        qualify
            row_number() over (partition by level, code, source_id, indicator_id order by period_start desc)
            <= {SERIES_POINTS}
    )
select
    level, code, indicator_id, source_id,
    list(
        {{
            'label': period_label, 'start': period_start, 'numerator': numerator, 'denominator': denominator,
            'value': value, 'lower': lower_95, 'upper': upper_95, 'min': value_min, 'max': value_max,
            'comparator': comparator_value, 'masked': is_suppressed, 'release_key': release_key,
            'withheld': list_contains(usage_warnings, 'denominator_withheld')
        }}
        order by period_start
    ) as points
from last_points
group by all
"""

TRUSTS = f"""
with
    seen as (
        select trust_code as code, arg_max(trust_name, period_end) as name, arg_max(lms_code, period_end) as lms_code
        from marts.trust_indicator
        group by trust_code
    ),
    bodies as (select * from core.dim_organisation where level = 'trust' and valid_to = {FAR}),
    today as (
        select
            code,
            list({{'code': today_code, 'name': today_name}} order by today_code)
                filter (where today_code <> code) as successors
        from core.bridge_organisation_today
        group by code
    )
select
    coalesce(seen.code, bodies.code) as code,
    coalesce(bodies.name, seen.name) as name,
    coalesce(bodies.lms_code, seen.lms_code) as lms_code,
    bodies.closed_on, bodies.aliases, bodies.network,
    coalesce(today.successors, []) as successors,
    seen.code is not null as has_values
from seen
full join bodies on seen.code = bodies.code
left join today on today.code = coalesce(seen.code, bodies.code)
where seen.code is not null or (bodies.closed_on is null and bodies.lms_code is not null)
order by name, code
"""

CATEGORIES = """
with
    england as (
        select
            *,
            row_number() over (
                partition by source_id, indicator_id, breakdown, breakdown_value order by period_end desc, period_start
            ) as age
        from marts.england_indicator
        where breakdown <> 'all'
    )
select
    indicator_id, source_id, breakdown, breakdown_value, period_label, numerator, denominator, value, unit, lower_95,
    upper_95, value_min, value_max, is_suppressed, release_key
from england
where age = 1
order by indicator_id, source_id, breakdown, breakdown_value
"""

# newest figures of networks and neonatal units, where no trust has any
OTHER_LEVELS = """
select
    indicator_id, source_id, level, organisation_code, organisation_name, period_label, numerator, denominator, value,
    unit, lower_95, upper_95, comparison, is_suppressed, usage_warnings, release_key
from marts.organisation_indicator
where
    breakdown = 'all'
    and level in ('network', 'unit')
    and indicator_id not in (select indicator_id from marts.trust_indicator)
qualify dense_rank() over (partition by indicator_id, source_id order by period_end desc, period_start desc) = 1
order by indicator_id, source_id, level, organisation_name
"""

# how many organisations have which result
RESULTS = """
select
    standard, source_id, level, publisher_status, count(*)::integer as organisations,
    any_value(period_label) as period_label, max(release_key) as release_key
from marts.compliance
group by standard, source_id, level, publisher_status, period_start, period_end
qualify dense_rank() over (partition by standard, source_id, level order by period_end desc, period_start) = 1
order by standard, source_id, level, organisations desc
"""

EVIDENCE = f"""
select evidence.*, finding.* exclude (finding_id)
from marts.theme_evidence as evidence
left join core.fct_finding as finding on finding.finding_id = evidence.finding_id
qualify row_number() over (partition by evidence.theme_id order by evidence.finding_id) <= {EVIDENCE_SHOWN}
"""


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

    def grouped(self, records: list[Record], key: Callable[[Record], Any]) -> dict[Any, list[Record]]:
        """Return records by a key, in their order."""
        found: dict[Any, list[Record]] = defaultdict(list)
        for record in records:
            found[key(record)].append(record)
        return dict(found)

    def make_headline(self) -> None:
        """Put the values for everybody (breakdown all) of all four levels under one name."""
        parts = [
            f"select '{level}' as level, {code} as code, {name} as name, {lms} as lms_code, {region} as region_code, "
            f"{SHARED}, {NO_AREA_COLUMNS if level == 'trust' else AREA_COLUMNS}, "
            "date_diff('month', period_start, period_end + 1) as months "
            f"from marts.{level}_indicator where breakdown = 'all'"
            for level, (code, name, lms, region) in LEVELS.items()
            if self.has(f"marts.{level}_indicator")
        ]
        self.connection.execute(f"create or replace temp table headline as {' union all '.join(parts)}")

    def values(self) -> list[Value]:
        """Return the newest values."""
        rows = self.rows(NEWEST.format(shared=_qualified(SHARED), area=AREA_COLUMNS))
        return [Value(**row) for row in rows]

    def series(self) -> dict[SeriesKey, list[Record]]:
        """Return the last points of every series."""
        return {
            (row["level"], row["code"], row["indicator_id"], row["source_id"]): row["points"]
            for row in self.rows(SERIES)
        }

    def releases(self) -> dict[str, Record]:
        """Return the releases by key, each with the name of its page and what `source_health` counts."""
        health = {row["release_key"]: row for row in self.all_of("quality.source_health", "release_key")}
        found: dict[str, Record] = {}
        taken: set[str] = set()
        for row in self.all_of("core.dim_release", "release_key"):
            key = row["release_key"]
            name = slug(key.rsplit("/", 1)[-1])
            page = name if name not in taken else slug(key)
            taken.add(page)
            found[key] = row | {"page": page, "health": health.get(key, {})}
        return found


def _qualified(columns: str) -> str:
    return ", ".join(f"ranked.{column.strip()}" for column in columns.split(","))


def read(connection: duckdb.DuckDBPyConnection, facts: Facts) -> Edition:
    """Read an edition; leaves the temporary table `headline` on the connection."""
    reader = Reader(connection)
    reader.make_headline()
    return Edition(
        facts=facts,
        values=reader.values(),
        series=reader.series(),
        lms=reader.all_of("core.dim_lms", "lms_name"),
        trusts={row["code"]: row for row in reader.rows(TRUSTS)},
        indicators={row["indicator_id"]: row for row in reader.all_of("core.dim_indicator", "indicator_id")},
        releases=reader.releases(),
        warnings={row["usage_warning"]: row["says"] for row in reader.all_of("reference.usage_warning", "rowid")},
        tables=dict(reader.tables),
        row_counts=_row_counts(reader),
        ambitions=reader.all_of("reference.ambition", "rowid"),
        actuals=reader.all_of("marts.national_ambition", "ambition_id, definition, geography, year, period"),
        trajectory=reader.all_of("core.ambition_trajectory", "ambition_id, year"),
        positions=_positions(reader),
        signals=_signals(reader),
        inequality=reader.grouped(_inequality(reader), lambda row: (row["level"], row["organisation_code"])),
        board=reader.grouped(
            reader.all_of("marts.board_dashboard", "trust_code, place, indicator_id, source_id"),
            lambda row: row["trust_code"],
        ),
        compliance=reader.grouped(_compliance(reader), lambda row: row["organisation_code"]),
        themes=reader.all_of("marts.theme", "theme_id"),
        evidence=reader.grouped(
            reader.rows(EVIDENCE, "marts.theme_evidence", "core.fct_finding"), lambda row: row["theme_id"]
        ),
        theme_figures=reader.grouped(
            reader.all_of("marts.theme_figure", "theme_id, publisher, period_end, statement"),
            lambda row: row["theme_id"],
        ),
        theme_indicators=reader.grouped(
            reader.all_of("marts.theme_indicator", "theme_id, indicator_id, source_id"), lambda row: row["theme_id"]
        ),
        others=reader.grouped(reader.rows(OTHER_LEVELS, "marts.organisation_indicator"), lambda r: r["indicator_id"]),
        results=reader.grouped(reader.rows(RESULTS, "marts.compliance"), lambda row: row["standard"]),
        health=reader.all_of("quality.source_health", "source_id, dataset, latest_period_end desc, release_key"),
        checks=reader.all_of("quality.check_result", "suite, release_key, rule"),
        alerts=reader.all_of("quality.alert", "opened_at desc, alert_id"),
        completeness=reader.all_of("quality.org_completeness"),
        **_changes(reader),
        categories=reader.grouped(reader.rows(CATEGORIES, "marts.england_indicator"), lambda r: r["indicator_id"]),
    )


def _row_counts(reader: Reader) -> dict[str, int]:
    rows = reader.rows("select schema_name || '.' || table_name as name, estimated_size as size from duckdb_tables()")
    return {row["name"]: row["size"] for row in rows}


def _positions(reader: Reader) -> list[Record]:
    return reader.rows(
        """
        select * from marts.ambition_position
        qualify
            row_number() over (
                partition by level, organisation_code, indicator_id, source_id order by period_end desc, period_start
            )
            = 1
        order by ambition_id, indicator_id, level, organisation_code
        """,
        "marts.ambition_position",
    )


def _signals(reader: Reader) -> dict[SeriesKey, list[Record]]:
    rows = reader.rows(
        f"""
        select * from marts.signal
        where level in ('trust', 'lms', 'england')
        qualify
            row_number() over (
                partition by level, organisation_code, indicator_id, source_id order by period_start desc
            )
            <= {SERIES_POINTS}
        order by level, organisation_code, indicator_id, source_id, period_start
        """,
        "marts.signal",
    )
    return reader.grouped(
        rows, lambda row: (row["level"], row["organisation_code"], row["indicator_id"], row["source_id"])
    )


def _inequality(reader: Reader) -> list[Record]:
    return reader.rows(
        """
        select *
        from marts.inequality
        qualify
            dense_rank() over (
                partition by level, organisation_code, indicator_id, source_id, breakdown
                order by period_end desc, period_start
            )
            = 1
        order by level, organisation_code, indicator_id, source_id, breakdown, "group"
        """,
        "marts.inequality",
    )


def _compliance(reader: Reader) -> list[Record]:
    return reader.rows(
        """
        select *
        from marts.compliance
        where level = 'trust'
        qualify
            dense_rank() over (
                partition by organisation_code, source_id, standard order by period_end desc, period_start
            )
            = 1
        order by
            organisation_code, source_id, publisher_status,
            coalesce(try_cast(nullif(regexp_extract(standard, '\\d+$'), '') as integer), 0), standard
        """,
        "marts.compliance",
    )


def _changes(reader: Reader) -> dict[str, Any]:
    """Return what changed: counted by LMS, indicator, kind and reason, and the first rows that are not just new."""
    return {
        "change_counts": reader.rows(
            """
            select lms_code, source_id, indicator_id, change, reason, count(*)::integer as rows
            from marts.edition_change group by all order by all
            """,
            "marts.edition_change",
        ),
        "changes": reader.rows(
            f"""
            select * from marts.edition_change where change <> 'added'
            order by mart, source_id, indicator_id, organisation_code, period_start limit {CHANGES_SHOWN}
            """,
            "marts.edition_change",
        ),
    }
