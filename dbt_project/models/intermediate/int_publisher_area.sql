-- Grain: level (lms, region, england) × area × source × period: the publisher's area whose own row is the value of
-- ours.
-- England and the regions are what they are called. A board is an LMS where their figures show it: at least nine in ten
-- of the counts of that period that both have whole agree within rounding (the same members on paper are not enough:
-- footprints differ), or where an explicit row of reference.publisher_area says so.
with
    published as (
        select distinct source_id, period_start, period_end, level, organisation_code
        from {{ ref("fct_observation") }}
        where exclusion_rule is null and level in ('icb', 'region', 'england')
    ),

    single_lms as (
        select stp_code_ods, min(lms_code) as lms_code from {{ ref("lms") }} group by stp_code_ods having count(*) = 1
    ),

    whole as (
        select distinct
            area_code as lms_code, source_id, indicator_id, period_start, period_end, breakdown, breakdown_value
        from {{ ref("int_rollup") }}
        where level = 'lms' and is_complete
    ),

    agreement as (
        select
            compared.source_id,
            compared.period_start,
            compared.period_end,
            compared.area_code,
            count(*) as counts,
            avg(compared.is_within_rounding::integer) as share_that_agrees
        from {{ ref("area_reconciliation") }} as compared
        inner join single_lms on compared.area_code = single_lms.stp_code_ods
        inner join whole using (lms_code, source_id, indicator_id, period_start, period_end, breakdown, breakdown_value)
        where compared.level = 'icb'
        group by all
    )

select
    case when published.level = 'icb' then 'lms' else published.level end as level,
    case
        when published.level = 'icb'
        then coalesce(explicit.lms_code, single_lms.lms_code)
        else published.organisation_code
    end as area_code,
    published.source_id,
    published.period_start,
    published.period_end,
    published.level as published_level,
    published.organisation_code as published_code
from published
left join single_lms on published.level = 'icb' and published.organisation_code = single_lms.stp_code_ods
left join
    agreement
    on published.source_id = agreement.source_id
    and published.period_start = agreement.period_start
    and published.period_end = agreement.period_end
    and published.organisation_code = agreement.area_code
left join
    {{ ref("publisher_area") }} as explicit
    on published.level = 'icb'
    and published.source_id = explicit.source_id
    and published.organisation_code = explicit.published_code
    and published.period_end between explicit.valid_from and explicit.valid_to
where
    published.level <> 'icb'
    or explicit.lms_code is not null
    or (single_lms.lms_code is not null and agreement.counts >= 10 and agreement.share_that_agrees >= 0.9)
