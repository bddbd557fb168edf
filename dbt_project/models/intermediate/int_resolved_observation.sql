-- Grain: one row an observation of a landed release, superseded ones included: those that this build makes and those
-- that are kept from earlier ones. Each row by itself: on our scale, and without the numbers of what cannot be.
with
    published as (
        select *
        from {{ ref("int_made_observation") }}
        union all by name
        select *
        from {{ source("landed", "kept_observation") }}
    ),

    -- what the publisher prints on another scale than ours
    scaled as (
        select
            published.* exclude (publisher_multiplier) replace (
                case
                    when publisher_multiplier is null or indicator.multiplier is null
                    then publisher_value
                    else publisher_value * indicator.multiplier / publisher_multiplier
                end as publisher_value
            ),
            indicator.statistic,
            indicator.multiplier
        from published
        left join {{ ref("int_indicator") }} as indicator using (indicator_id)
    ),

    judged as (
        select
            * exclude (statistic, multiplier),
            coalesce(
                statistic in ('rate', 'proportion')
                and (
                    coalesce(numerator < 0, false)
                    or coalesce(denominator < 0, false)
                    or coalesce(publisher_value < 0, false)
                    or (
                        statistic = 'proportion'
                        and (coalesce(numerator > denominator, false) or coalesce(publisher_value > multiplier, false))
                    )
                ),
                false
            ) as is_impossible
        from scaled
    )

select
    -- what cannot be ships as no number, whatever else is said of it
    * replace (
        {% for number in [
            "numerator",
            "denominator",
            "publisher_value",
            "publisher_lower_95",
            "publisher_upper_95",
            "publisher_lower_998",
            "publisher_upper_998",
            "least_numerator",
            "least_denominator",
            "greatest_numerator",
            "greatest_denominator",
        ] %}
            case when not is_impossible then {{ number }} end as {{ number }},
        {% endfor %}
        case
            when is_impossible then coalesce(exclusion_rule, 'impossible_value') else exclusion_rule
        end as exclusion_rule
    ),
    coalesce(published_code, published_name) as published_place
from judged
