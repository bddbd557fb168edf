"""Figures for programs: static JSON in `api/`, at the same addresses in every edition, each file with a JSON Schema.

`api/indicators.json` and `api/organisations.json` list what there is; `api/indicator/<id>.json` and
`api/organisation/<code>.json` hold every period of the values for everybody (breakdown all) of trusts, LMSs, regions
and England. DuckDB writes them from the rows that the pages are made from, a file at a time, so a file holds no more
than the marts, and memory no more than a few files.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from perinatal.made_files import MadeFiles, Since
from perinatal.sql import identifier, literal
from publish.partition import DESK, KEY, ROWS, Files, Parts, open_desk, rows_as
from publish.portal.reader import Reader

SCHEMAS = Path(__file__).parent / "api_schema"
# a file name that is safe everywhere; ids and codes of the catalogue are so already
SAFE = "regexp_replace({}, '[^A-Za-z0-9_.-]+', '-', 'g') || '.json'"
INDICATOR_FILE = f"'indicator/' || {SAFE.format('indicator_id')}"
ORGANISATION_FILE = f"'organisation/' || {SAFE.format('code')}"
SHARED = (
    "source_id", "period_label", "period_start", "period_end", "months_covered", "unit", "numerator", "denominator",
    "value", "lower_95", "upper_95", "adjusted_value", "adjusted_lower_95", "adjusted_upper_95", "comparator_value",
    "verdict", "verdict_basis", "verdict_level", "recent_trend", "is_suppressed", "usage_warnings", "trusts_expected",
    "trusts_reporting", "is_complete", "value_min", "value_max", "release_key",
)  # fmt: skip
ATTENTION = (
    "rank", "tier", "concept_id", "indicator_id", "indicator_name", "breakdown_value", "period_label", "months_covered",
    "value", "unit", "comparator_value", "verdict", "verdict_basis", "verdict_level", "excess", "held_since", "is_new",
    "trusts", "why", "release_key",
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
    level, code, arg_max(name, (period_end, name)) as name, arg_max(lms_code, (period_end, lms_code)) as lms_code,
    arg_max(region_code, (period_end, region_code)) as region_code, count(*) as figures, {ORGANISATION_FILE} as file
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
# what stands around the values in each file
AROUND_INDICATOR = """
select {synthetic}, about.*, releases, about.indicator_id as {part_key}
from ({indicators}) as about
left join ({releases}) using (indicator_id)
"""
AROUND_ORGANISATION = """
select {synthetic}, about.*, coalesce(attention, []) as attention, releases, about.code as {part_key}
from ({organisations}) as about
left join ({attention}) using (code)
left join ({releases}) using (code)
"""
STANDING_OUT = """
select organisation_code as code, list({entry} order by rank) as attention
from marts.attention
group by code
"""
NOTHING_STANDS_OUT = "select null::varchar as code, null::varchar[] as attention where false"
LISTED = """
select {synthetic}, coalesce(list(one order by file), []) as {what}, '{what}.json' as {part_key}
from ({rows}) as one
"""


class Api:
    """The files below `api/` of one edition's portal; needs the temporary table `headline`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, *, is_synthetic: bool) -> None:
        self.connection = connection
        self.shared = {"synthetic": f"{literal(is_synthetic)} as is_synthetic", "part_key": KEY}
        self.about_indicators = INDICATORS.format(about=", ".join(INDICATOR))

    def of_indicators(self) -> Files:
        """Return the file of each indicator, from rows in the order of source, level, organisation and period."""
        around = AROUND_INDICATOR.format(
            indicators=self.about_indicators, releases=RELEASES.format(key="indicator_id"), **self.shared
        )
        return self._files("indicator", around, ("level", "code", "name", "lms_code"))

    def of_organisations(self) -> Files:
        """Return the file of each organisation, from rows in the order of source, indicator and period."""
        has_attention = Reader(self.connection).has("marts.attention")
        around = AROUND_ORGANISATION.format(
            organisations=ORGANISATIONS,
            attention=STANDING_OUT.format(entry=_record(ATTENTION)) if has_attention else NOTHING_STANDS_OUT,
            releases=RELEASES.format(key="code"),
            **self.shared,
        )
        return self._files("organisation", around, ("indicator_id", "indicator_name"))

    def _files(self, what: str, around: str, columns: tuple[str, ...]) -> Files:
        """Return files of one record each: what it is about, with the values of all rows of the part."""
        table = f"{DESK}.around_{what}"
        open_desk(self.connection)
        self.connection.execute(f"create or replace table {table} as {around}")
        named = self.connection.execute(f"select {KEY}, file from {table}").fetchall()
        value = _record((*columns, *SHARED))

        def query(key: str, since: Since) -> str:
            values = f"select coalesce(list({value} order by rowid), []) from {ROWS} where {KEY} = {key}"
            return f"select {_with_edition(since)}, ({values}) as values from {table} where {KEY} = {key}"

        names = {key: [f"api/{file.removesuffix('.json')}"] for key, file in named}
        return Files("json", names, query, Parts(self.connection, f"from {table}", KEY).digests)

    def write_lists(self, made: MadeFiles) -> None:
        """Write the lists of indicators and organisations, and the schemas."""
        for what, about in (("indicators", self.about_indicators), ("organisations", ORGANISATIONS)):
            parts = Parts(self.connection, LISTED.format(what=what, rows=about, **self.shared), KEY)
            parts.write(made, Files("json", {f"{what}.json": [f"api/{what}"]}, _record_of_edition))
        for path in SCHEMAS.iterdir():
            text = path.read_text(encoding="utf-8")
            made.text(f"api/schema/{path.name}", lambda _, text=text: text)  # type: ignore[misc]


def _record_of_edition(key: str, since: Since) -> str:
    return rows_as(_with_edition(since))(key, since)


def _with_edition(since: Since) -> str:
    """Return the select list of a file that reads so since an edition."""
    names = {"edition_id": since.edition_id, "published_at": since.published_at}
    return ", ".join(f"{literal(value)} as {name}" for name, value in names.items()) + f", * exclude ({KEY})"


def _record(columns: tuple[str, ...]) -> str:
    """Return the SQL of a struct of these columns."""
    return "{" + ", ".join(f"{literal(name)}: {identifier(name)}" for name in columns) + "}"
