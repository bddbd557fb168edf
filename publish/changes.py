"""What changed since the last edition, row by row, and why: `marts.edition_change`.

Disclosure holds across editions too: where a cell is masked, incomplete or gone in the new edition, what the last one
showed of it is not repeated.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from perinatal.opening import open_database
from perinatal.sql import attach, literal, literals
from publish import marts
from publish.marts import IndicatorMart
from warehouse.differences import differs

KEYS = "source_id, indicator_id, organisation_code, period_start, period_end, breakdown, breakdown_value"

# a row is reported where any of these differs; of most the report says only that they differ, not the numbers
COMPARED = (
    "numerator",
    "denominator",
    "value",
    "lower_95",
    "upper_95",
    "publisher_value",
    "adjusted_value",
    "adjusted_lower_95",
    "adjusted_upper_95",
    "publisher_band",
    "trusts_expected",
    "trusts_reporting",
    "value_min",
    "value_max",
)

# columns by which rows of all marts say whose they are
WHOSE = ("organisation_code", "organisation_name", "lms_code")

SYNTHETIC = "list_contains(coalesce(n.usage_warnings, o.usage_warnings), 'synthetic')"
CORRECTED = "list_contains(coalesce({}.usage_warnings, []), 'corrected')"

TABLE = """
create or replace table marts.edition_change (
    mart varchar, source_id varchar, indicator_id varchar, organisation_code varchar, organisation_name varchar,
    lms_code varchar, period_label varchar, period_start date, period_end date, months_covered integer,
    breakdown varchar, breakdown_value varchar, change varchar, reason varchar, changed_columns varchar[],
    old_value double, new_value double, old_numerator double, new_numerator double,
    old_denominator double, new_denominator double, old_release_key varchar, new_release_key varchar,
    is_synthetic boolean, last_edition varchar
)
"""


def record(candidate: Path, last: Path | None) -> int:
    """Write `marts.edition_change` into the candidate; returns how many rows changed. Empty for a first edition."""
    with open_database(candidate) as connection:
        connection.execute(TABLE)
        if last:
            attach(connection, last / "perinatal.duckdb", "last_edition")
            for mart in marts.ALL:
                shared = _shared(connection, mart)
                if shared:
                    connection.execute(_difference(mart, shared), {"last": last.name})
            _mark_new_attention(connection)
        return int(connection.execute("select count(*) from marts.edition_change").fetchall()[0][0])


def _mark_new_attention(connection: duckdb.DuckDBPyConnection) -> None:
    """Say of each entry of `marts.attention` whether the last edition lacked it; of an older shape it says nothing."""
    known = connection.execute(
        "select 1 from duckdb_tables() where database_name = 'last_edition' and table_name = 'attention'"
    ).fetchall()
    if known:
        connection.execute(
            """
            update marts.attention set is_new = (level, organisation_code, concept_id) not in
            (select (level, organisation_code, concept_id) from last_edition.marts.attention)
            """
        )


def _shared(connection: duckdb.DuckDBPyConnection, mart: IndicatorMart) -> dict[str, str]:
    """Return the columns that both editions have, with their types: the last one may be of an older shape."""
    found = connection.execute(
        """
        select column_name, any_value(data_type) from duckdb_columns() where schema_name = 'marts' and table_name = ?
        and database_name in (current_database(), 'last_edition') group by column_name having count(*) = 2
        """,
        [mart.name],
    ).fetchall()
    return dict(found)


def _side(catalog: str, mart: IndicatorMart) -> str:
    """Return the query of a mart's rows in one edition, each with the columns that say whose it is."""
    whose = zip((mart.code, mart.organisation_name, mart.lms or "null"), WHOSE, strict=True)
    return (
        f"select {', '.join(f'{expression} as {name}' for expression, name in whose)}, "
        f"columns(lambda name: name not in ({literals(WHOSE)})) from {catalog}.{mart.table}"
    )


def _difference(mart: IndicatorMart, shared: dict[str, str]) -> str:
    """Return the statement that adds one mart's differences."""
    differing = ", ".join(
        f"if({differs(f'o.{name}', f'n.{name}', shared[name])}, '{name}', null)" for name in COMPARED if name in shared
    )
    covered = f"coalesce(n.months_covered, {'o.months_covered' if 'months_covered' in shared else 'null'})"
    return f"""
    insert into marts.edition_change
    with
        old_side as ({_side("last_edition", mart)}),
        new_side as ({_side("perinatal", mart)}),
        joined as (
            select
                {KEYS},
                coalesce(n.organisation_name, o.organisation_name) as organisation_name,
                coalesce(n.lms_code, o.lms_code) as lms_code,
                coalesce(n.period_label, o.period_label) as period_label, {covered} as months_covered,
                {SYNTHETIC} as is_synthetic,
                o.release_key as old_release_key, n.release_key as new_release_key,
                o.value as old_value, n.value as new_value,
                o.numerator as old_numerator, n.numerator as new_numerator,
                o.denominator as old_denominator, n.denominator as new_denominator,
                o.lms_code is distinct from n.lms_code as moved,
                {CORRECTED.format("n")} and not {CORRECTED.format("o")} as corrected,
                coalesce(o.is_suppressed, false) as was_masked, coalesce(n.is_suppressed, false) as is_masked,
                list_filter([{differing}], lambda name: name is not null) as differing
            from old_side as o full join new_side as n using ({KEYS})
        ),
        classified as (
            select
                *,
                case
                    when old_release_key is null then 'added'
                    when new_release_key is null then 'removed'
                    when is_masked and not was_masked then 'masked'
                    when was_masked and not is_masked then 'unmasked'
                    when moved then 'moved'
                    when len(differing) > 0 then 'changed'
                end as change,
                case
                    when old_release_key is null then 'new release'
                    when new_release_key is null then 'no longer in the newest release'
                    when moved then 'membership'
                    when corrected then 'correction'
                    when old_release_key <> new_release_key then 'revision'
                    else 'method or reference data'
                end as reason,
                new_release_key is not null and new_value is not null as may_show_old,
                -- a count over its exact old rate is the denominator that the new edition withholds
                old_denominator is not null and new_denominator is null as newly_withheld
            from joined
        )
    select
        {literal(mart.name)}, source_id, indicator_id, organisation_code, organisation_name, lms_code, period_label,
        period_start, period_end, months_covered, breakdown, breakdown_value, change, reason,
        if(old_release_key is null or new_release_key is null, [], differing),
        if(may_show_old and not newly_withheld, old_value, null), new_value,
        if(may_show_old and new_numerator is not null, old_numerator, null), new_numerator,
        if(may_show_old and new_denominator is not null, old_denominator, null), new_denominator,
        old_release_key, new_release_key, is_synthetic, $last
    from classified
    where change is not null
    order by {KEYS}
    """
