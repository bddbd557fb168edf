-- Grain: that of marts.trust_indicator, for restricted sources. There is no national comparator: nobody else reports.
with
    compared as (
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

    {{ trust_mart("compared") }}
