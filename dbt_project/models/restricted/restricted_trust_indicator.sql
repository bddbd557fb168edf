-- Grain: that of marts.trust_indicator, for restricted sources. There is no national comparator: nobody else reports.
with
    placed as (
        select
            observation.*,
            membership.lms_code,
            observation.comparator_value as effective_comparator,
            indicator.statistic,
            indicator.polarity
        from {{ ref("restricted_observation") }} as observation
        inner join {{ ref("int_indicator") }} as indicator using (indicator_id)
        inner join
            {{ ref("int_trust_lms") }} as membership
            on observation.organisation_code = membership.trust_code
            and observation.period_end = membership.period_end
        where
            observation.level = 'trust' and observation.exclusion_rule is null and observation.publisher_status is null
    ),

    trended as (select * from {{ with_trend("placed", ["organisation_code"]) }})

select
    trended.organisation_code as trust_code,
    trust.name as trust_name,
    lms.lms_code,
    lms.lms_name,
    lms.region_code,
    lms.region_name,
    {{ shared_mart_columns() }}
from trended
inner join {{ ref("int_indicator") }} as indicator using (indicator_id)
inner join {{ ref("dim_lms") }} as lms using (lms_code)
left join
    {{ ref("dim_organisation") }} as trust
    on trust.level = 'trust'
    and trust.code = trended.organisation_code
    and trended.period_end between trust.valid_from and trust.valid_to
order by
    trended.source_id,
    trended.indicator_id,
    trended.period_start,
    trended.period_end,
    trended.breakdown,
    trended.breakdown_value,
    trended.organisation_code
