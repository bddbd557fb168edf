"""Figures for programs: static JSON in `api/`, at the same addresses in every edition, each file with a JSON Schema.

`api/indicators.json` and `api/organisations.json` list what there is; `api/indicator/<id>.json` and
`api/organisation/<code>.json` hold every period of the values for everybody (breakdown all) of trusts, LMSs, regions
and England. DuckDB writes them from the rows that the pages are made from, so a file holds no more than the marts.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from perinatal.made_files import MadeFiles, Since
from perinatal.sql import identifier, literal
from publish.partition import KEY, Parts
from publish.portal.reader import Reader

SCHEMAS = Path(__file__).parent / "api_schema"
# a file name that is safe everywhere; ids and codes of the catalogue are so already
SAFE = "regexp_replace({}, '[^A-Za-z0-9_.-]+', '-', 'g') || '.json'"
INDICATOR_FILE = f"'indicator/' || {SAFE.format('indicator_id')}"
ORGANISATION_FILE = f"'organisation/' || {SAFE.format('code')}"
SHARED = (
    "source_id", "period_label", "period_start", "period_end", "unit", "numerator", "denominator", "value",
    "lower_95", "upper_95", "adjusted_value", "adjusted_lower_95", "adjusted_upper_95", "comparator_value", "verdict",
    "verdict_basis", "verdict_level", "recent_trend", "is_suppressed", "usage_warnings", "trusts_expected",
    "trusts_reporting", "is_complete", "value_min", "value_max", "release_key",
)  # fmt: skip
ATTENTION = (
    "rank", "tier", "concept_id", "indicator_id", "indicator_name", "breakdown_value", "period_label", "value", "unit",
    "comparator_value", "verdict", "verdict_basis", "verdict_level", "excess", "held_since", "is_new", "trusts", "why",
    "release_key",
)  # fmt: skip
INDICATOR = (
    "indicator_id", "indicator_name", "definition", "statistic", "unit", "multiplier", "polarity", "concept_id",
    "ambition_id", "numerator_definition", "denominator_definition",
)  # fmt: skip

INDICATORS = f"""
select {{about}}, sources, levels, newest_period_end, figures, {INDICATOR_FILE} as file
from core.dim_indicator
inner join (
    select
        indicator_id, list_sort(list(distinct source_id)) as sources, list_sort(list(distinct level)) as levels,
        max(period_end) as newest_period_end, count(*) as figures
    from headline
    group by indicator_id
) using (indicator_id)
"""
ORGANISATIONS = f"""
select
    level, code, arg_max(name, period_end) as name, arg_max(lms_code, period_end) as lms_code,
    arg_max(region_code, period_end) as region_code, count(*) as figures, {ORGANISATION_FILE} as file
from headline
group by level, code
"""
# the releases of the rows of each indicator, or each organisation
RELEASES = """
select
    {key},
    list({{
        'release_key': release_key, 'publisher': publisher, 'url': url, 'sha256': sha256, 'licence': licence,
        'published_on': published_on
    }} order by release_key) as releases
from (select distinct {key}, release_key from headline)
inner join core.dim_release using (release_key)
group by {key}
"""
BY_INDICATOR = """
select {edition}, about.*, releases, values, about.file as {part_key}
from ({indicators}) as about
inner join (
    select
        indicator_id,
        list({value} order by source_id, level, code, period_start, period_end) as values
    from headline
    group by indicator_id
) using (indicator_id)
left join ({releases}) using (indicator_id)
order by about.file
"""
BY_ORGANISATION = """
select {edition}, about.*, coalesce(attention, []) as attention, releases, values, about.file as {part_key}
from ({organisations}) as about
inner join (
    select
        code,
        list({value} order by source_id, indicator_id, period_start, period_end) as values
    from headline
    group by code
) using (code)
left join ({attention}) using (code)
left join ({releases}) using (code)
order by about.file
"""
STANDING_OUT = """
select organisation_code as code, list({entry} order by rank) as attention
from marts.attention
group by code
"""
NOTHING_STANDS_OUT = "select null::varchar as code, null::varchar[] as attention where false"
LISTED = """
select {edition}, coalesce(list(one order by file), []) as {what}, '{what}.json' as {part_key}
from ({rows}) as one
"""


def write(connection: duckdb.DuckDBPyConnection, made: MadeFiles, *, is_synthetic: bool) -> None:
    """Write the files below `api/` of the portal; needs the temporary table `headline`."""
    has_attention = Reader(connection).has("marts.attention")
    indicators = INDICATORS.format(about=", ".join(INDICATOR))
    whose, which = ("level", "code", "name", "lms_code"), ("indicator_id", "indicator_name")
    shared = {"edition": f"{literal(is_synthetic)} as is_synthetic", "part_key": KEY}
    for sql in (
        LISTED.format(what="indicators", rows=indicators, **shared),
        LISTED.format(what="organisations", rows=ORGANISATIONS, **shared),
        BY_INDICATOR.format(
            indicators=indicators,
            value=_record((*whose, *SHARED)),
            releases=RELEASES.format(key="indicator_id"),
            **shared,
        ),
        BY_ORGANISATION.format(
            organisations=ORGANISATIONS,
            value=_record((*which, *SHARED)),
            attention=STANDING_OUT.format(entry=_record(ATTENTION)) if has_attention else NOTHING_STANDS_OUT,
            releases=RELEASES.format(key="code"),
            **shared,
        ),
    ):
        connection.execute(f"create or replace temp table api_file as {sql}")
        parts = Parts(connection, "select * from api_file", KEY)
        parts.write(made, lambda file: f"api/{file.removesuffix('.json')}", {"json": _with_edition})
    for path in SCHEMAS.iterdir():
        text = path.read_text(encoding="utf-8")
        made.text(f"api/schema/{path.name}", lambda _, text=text: text)  # type: ignore[misc]


def _with_edition(since: Since) -> str:
    """Return the select list of a file that reads so since an edition."""
    names = {"edition_id": since.edition_id, "published_at": since.published_at}
    return ", ".join(f"{literal(value)} as {name}" for name, value in names.items()) + f", * exclude ({KEY})"


def _record(columns: tuple[str, ...]) -> str:
    """Return the SQL of a struct of these columns."""
    return "{" + ", ".join(f"{literal(name)}: {identifier(name)}" for name in columns) + "}"
