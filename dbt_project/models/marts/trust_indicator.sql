-- Grain: indicator × trust × period × breakdown × breakdown value × source. The trust stands under its own code
-- and in the LMS that it belonged to at the period's end.
with
    compared as (
        select
            observation.*,
            membership.lms_code,
            membership.is_boundary_change,
            coalesce(observation.comparator_value, england.value) as effective_comparator,
            indicator.statistic,
            indicator.polarity
        from {{ ref("fct_observation") }} as observation
        inner join {{ ref("int_indicator") }} as indicator using (indicator_id)
        inner join
            {{ ref("int_trust_lms") }} as membership
            on observation.organisation_code = membership.trust_code
            and observation.period_end = membership.period_end
        left join
            {{ ref("england_indicator") }} as england
            on observation.source_id = england.source_id
            and observation.indicator_id = england.indicator_id
            and observation.period_start = england.period_start
            and observation.period_end = england.period_end
            and observation.breakdown = england.breakdown
            and observation.breakdown_value = england.breakdown_value
        where
            observation.level = 'trust' and observation.exclusion_rule is null and observation.publisher_status is null
    ),

    warned as (
        select
            * replace (
                case
                    when is_boundary_change
                    then {{ warnings({"boundary_change": "true"}, beside="usage_warnings") }}
                    else usage_warnings
                end as usage_warnings
            )
        from compared
    ),

    {{ trust_mart("warned") }}
