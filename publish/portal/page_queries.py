"""The queries that pages are made from: newest values, series, trusts, groups, other levels, results, evidence."""

from __future__ import annotations

from perinatal.sql import literal
from publish.marts import IndicatorMart

SERIES_POINTS = 36
CHANGES_SHOWN = 300
EVIDENCE_SHOWN = 60
FAR = "date '9999-12-31'"

SHARED = (
    "indicator_id, indicator_name, source_id, period_label, period_start, period_end, numerator, denominator, value, "
    "unit, lower_95, upper_95, lower_998, upper_998, publisher_value, adjusted_value, adjusted_lower_95, "
    "adjusted_upper_95, comparator_value, comparison, verdict, verdict_basis, verdict_level, publisher_band, "
    "recent_trend, is_suppressed, usage_warnings, release_key"
)
RANKED_SHARED = ", ".join(f"ranked.{name.strip()}" for name in SHARED.split(","))
AREA_COLUMNS = "trusts_expected, trusts_reporting, is_complete, value_min, value_max"
NO_AREA_COLUMNS = (
    "null::integer as trusts_expected, null::integer as trusts_reporting, null::boolean as is_complete, "
    "null::double as value_min, null::double as value_max"
)


def headline(level: str, mart: IndicatorMart) -> str:
    """Return the query of a level's values for everybody (breakdown all), in the shape that all four levels share."""
    return (
        f"select {literal(level)} as level, {mart.code} as code, {mart.organisation_name} as name, "
        f"{mart.lms or 'null'} as lms_code, {mart.region or 'null'} as region_code, "
        f"{SHARED}, {NO_AREA_COLUMNS if level == 'trust' else AREA_COLUMNS}, months_covered, is_synthetic "
        f"from {mart.table} where breakdown = 'all'"
    )


# newest value of each indicator, organisation and source; the comparator's name stands in core only
NEWEST = f"""
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
    ranked.level, code, name, lms_code, region_code, {RANKED_SHARED},
    {AREA_COLUMNS}, months_covered, is_current, named.comparator_name
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

# points of the newest value's period length only: months and years never stand in one line; one point is no series,
# but England's stands beside those of others
SERIES = f"""
with
    newest as (
        select
            level, code, source_id, indicator_id,
            arg_max(months_covered, (period_end, period_start)) as months_covered
        from headline
        group by all
    ),
    last_points as (
        select headline.*
        from headline
        inner join newest using (level, code, source_id, indicator_id, months_covered)
        qualify
            row_number() over (partition by level, code, source_id, indicator_id order by period_start desc)
            <= {SERIES_POINTS}
    )
select
    level, code, indicator_id, source_id,
    list(
        {{
            'period_label': period_label, 'start': period_start, 'period_end': period_end,
            'months_covered': months_covered, 'numerator': numerator, 'denominator': denominator,
            'value': value, 'lower': lower_95, 'upper': upper_95, 'min': value_min, 'max': value_max,
            'comparator': comparator_value, 'masked': is_suppressed, 'release_key': release_key,
            'withheld': list_contains(usage_warnings, 'denominator_withheld'), 'comparison': comparison,
            'source_id': source_id, 'verdict': verdict, 'verdict_basis': verdict_basis, 'verdict_level': verdict_level
        }}
        order by period_start
    ) as points
from last_points
group by all
having count(*) > 1 or level = 'england'
"""

TRUSTS = f"""
with
    seen as (
        select
            trust_code as code, arg_max(trust_name, (period_end, trust_name)) as name,
            arg_max(lms_code, (period_end, lms_code)) as lms_code
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

# places of birth; one that a merger gave a second code stands once, under its trust's own
HOSPITALS = """
select code, name, parent_code as trust_code
from core.dim_organisation
where level = 'site' and parent_code is not null
qualify row_number() over (partition by name, parent_code order by left(code, 3) = parent_code desc, code) = 1
order by name, code
"""

ATTENTION = "select * from marts.attention order by level, organisation_code, rank"

# births a year: MBRRACE-UK's total births where they ship, else the babies of the newest year of MSDS
BIRTHS = """
with
    counted as (
        select
            level, code, indicator_id, period_label, period_end, release_key,
            case source_id when 'mbrrace' then denominator else value end as value,
            source_id <> 'mbrrace' as is_second
        from headline
        where
            months_covered = 12
            and (indicator_id, source_id)
            in (('extended_perinatal_mortality_rate', 'mbrrace'), ('msds_total_babies', 'msds'))
    )
select level, code, value, indicator_id, period_label, period_end, release_key
from counted
where level in ('trust', 'lms') and value is not null
qualify row_number() over (partition by level, code order by is_second, period_end desc) = 1
"""

# share of women at booking who live in the most deprived fifth of areas: deciles 1 and 2 of the newest year
DEPRIVED = """
with
    decile as (
        select
            'lms' as level, lms_code as code, breakdown_value, value, period_label, period_start, period_end,
            release_key
        from marts.lms_indicator
        where indicator_id = 'msds_deprivation_decile_at_booking'
        union all
        select
            'trust', trust_code, breakdown_value, value, period_label, period_start, period_end, release_key
        from marts.trust_indicator
        where indicator_id = 'msds_deprivation_decile_at_booking'
    )
select
    level, code, sum(value) as value, period_label, period_end, max(release_key) as release_key,
    'msds_deprivation_decile_at_booking' as indicator_id, 'category' as breakdown,
    min(breakdown_value) as breakdown_value
from decile
where regexp_matches(breakdown_value, '^0[12]( |$)') and period_end - period_start > 300
group by level, code, period_label, period_end
having count(value) = 2
qualify row_number() over (partition by level, code order by period_end desc) = 1
"""

# how far apart organisations of a kind lie: values of the newest period without a warning of a fault; of several at an
# end the first or last by code is named, so that an edition made again names the same
SPREADS = """
with
    newest as (
        select *
        from headline
        where level in ('lms', 'trust')
        qualify dense_rank() over (partition by level, source_id, indicator_id order by period_end desc) = 1
    ),
    faults as (
        select coalesce(list(usage_warning), []) as words
        from reference.usage_warning
        where kind = 'fault' and usage_warning <> 'publisher_note'
    )
select
    level, indicator_id, source_id, count(value)::integer as organisations, {{ spread("value") }},
    arg_min(code, (value, code)) as lowest_code, arg_min(name, (value, code)) as lowest_name,
    arg_max(code, (value, code)) as highest_code, arg_max(name, (value, code)) as highest_name, any_value(unit) as unit
from newest, faults
where value is not null and not list_has_any(usage_warnings, words)
group by level, indicator_id, source_id
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
    'england' as level, 'E92000001' as code, indicator_id, source_id, breakdown, breakdown_value, period_label,
    period_end, months_covered, numerator, denominator, value, unit, lower_95, upper_95, value_min, value_max,
    is_suppressed, release_key
from england
where age = 1
order by indicator_id, source_id, breakdown, breakdown_value
"""

# newest figures of networks and neonatal units, where no trust has any
OTHER_LEVELS = """
select
    indicator_id, source_id, level, organisation_code, organisation_name, period_label, period_end, months_covered,
    numerator, denominator, value, unit, lower_95, upper_95, comparison, is_suppressed, usage_warnings, release_key
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
    any_value(period_label) as period_label, period_end, max(release_key) as release_key
from marts.compliance
group by standard, source_id, level, publisher_status, period_start, period_end
qualify dense_rank() over (partition by standard, source_id, level order by period_end desc, period_start) = 1
order by standard, source_id, level, organisations desc, publisher_status
"""

EVIDENCE = f"""
select evidence.*, finding.* exclude (finding_id)
from marts.theme_evidence as evidence
left join core.fct_finding as finding on finding.finding_id = evidence.finding_id
qualify row_number() over (
    partition by evidence.theme_id
    order by evidence.coded_by = 'person' desc, evidence.is_disputed desc, evidence.finding_id
) <= {EVIDENCE_SHOWN}
"""

# newest position of each organisation against each trajectory
POSITIONS = """
select * from marts.ambition_position
qualify
    row_number() over (
        partition by level, organisation_code, indicator_id, source_id order by period_end desc, period_start
    )
    = 1
order by ambition_id, indicator_id, level, organisation_code
"""

SIGNALS = f"""
select * from marts.signal
where level in ('trust', 'lms', 'england')
qualify
    row_number() over (partition by level, organisation_code, indicator_id, source_id order by period_start desc)
    <= {SERIES_POINTS}
order by level, organisation_code, indicator_id, source_id, period_start
"""

# groups of the newest period of each breakdown; indicators whose target was withdrawn come last
INEQUALITY = """
select *
from marts.inequality
qualify
    dense_rank() over (
        partition by level, organisation_code, indicator_id, source_id, breakdown
        order by period_end desc, period_start
    )
    = 1
order by
    level, organisation_code,
    indicator_id in (select indicator_id from core.dim_indicator where target_withdrawn_on is not null),
    indicator_id, source_id, breakdown, "group"
"""

COMPLIANCE = """
select *
from marts.compliance
where level = 'trust'
qualify
    dense_rank() over (partition by organisation_code, source_id, standard order by period_end desc, period_start)
    = 1
order by
    organisation_code, source_id, publisher_status,
    coalesce(try_cast(nullif(regexp_extract(standard, '\\d+$'), '') as integer), 0), standard
"""

# what changed, counted by LMS, indicator, kind and reason
CHANGE_COUNTS = """
select lms_code, source_id, indicator_id, change, reason, count(*)::integer as rows
from marts.edition_change group by all order by all
"""

# the first rows that are not just new
CHANGES = f"""
select * from marts.edition_change where change <> 'added'
order by mart, source_id, indicator_id, organisation_code, period_start limit {CHANGES_SHOWN}
"""
