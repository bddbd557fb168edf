-- Grain: indicator × level × organisation × period × breakdown × breakdown value × source, for every level that
-- has no mart of its own: sites, neonatal units, networks, comparator groups, local authorities, CCGs, ICBs.
with
    compared as {{ made_for_each_reader() }} (
        select
            observation.*,
            null::double as value_min,
            null::double as value_max,
            null::double as bound_denominator,
            {{ compared_columns("observation.comparator_value") }}
        from {{ ref("fct_observation") }} as observation {{ compared_joins("observation") }}
        where
            observation.level not in ('trust', 'england', 'region')
            and observation.exclusion_rule is null
            and observation.publisher_status is null
    ),

    judged as (select * from {{ with_verdict("compared") }}),

    trended as (select * from {{ with_trend("judged", "compared", ["level", "organisation_code"]) }})

select trended.level, trended.organisation_code, trended.organisation_name, {{ shared_mart_columns() }}
from trended
inner join {{ ref("int_indicator") }} as indicator using (indicator_id)
order by
    trended.source_id,
    trended.indicator_id,
    trended.period_start,
    trended.period_end,
    trended.breakdown,
    trended.breakdown_value,
    trended.level,
    trended.organisation_code
