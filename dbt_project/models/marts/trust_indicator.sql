-- Grain: indicator × trust × period × breakdown × breakdown value × source. The trust stands under its own code
-- and in the LMS that it belonged to at the period's end.
with
    compared as {{ made_for_each_reader() }} (
        select
            observation.*,
            membership.lms_code,
            membership.is_boundary_change,
            null::double as value_min,
            null::double as value_max,
            null::double as bound_denominator,
            {{ compared_columns("observation.comparator_value") }}
        from {{ ref("fct_observation") }} as observation
        inner join
            {{ ref("int_trust_lms") }} as membership
            on observation.organisation_code = membership.trust_code
            and observation.period_end = membership.period_end
            {{ compared_joins("observation") }}
        where
            observation.level = 'trust' and observation.exclusion_rule is null and observation.publisher_status is null
    ),

    warned as {{ made_for_each_reader() }} (
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
