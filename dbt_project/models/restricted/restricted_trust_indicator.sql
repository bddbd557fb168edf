-- Grain: that of marts.trust_indicator, for restricted sources. There is no national comparator: nobody else reports.
with
    compared as {{ made_for_each_reader() }} (
        select
            observation.*,
            membership.lms_code,
            null::double as value_min,
            null::double as value_max,
            null::double as bound_denominator,
            {{ compared_columns("observation.comparator_value", has_england=false) }}
        from {{ ref("restricted_observation") }} as observation
        inner join
            {{ ref("int_trust_lms") }} as membership
            on observation.organisation_code = membership.trust_code
            and observation.period_end = membership.period_end
            {{ compared_joins("observation", has_england=false) }}
        where
            observation.level = 'trust' and observation.exclusion_rule is null and observation.publisher_status is null
    ),

    {{ trust_mart("compared") }}
