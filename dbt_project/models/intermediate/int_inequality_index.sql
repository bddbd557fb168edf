{% set keys = "source_id, indicator_id, level, organisation_code, period_start, period_end, breakdown" %}
-- Grain: that of marts.inequality, for whole sets of deprivation quintiles or deciles with counts: the slope and the
-- relative index of inequality, from the most to the least deprived, and what their simulated limits are made from
-- (warehouse/inequality_limits.py). Counts that are rounded are not taken below England: rounding would show as a
-- slope.
with
    ordered as (
        select
            {% for key in keys.split(", ") %} series.{{ key }}, {% endfor %}
            series.breakdown_value,
            quantile.quantile,
            indicator.statistic as kind,
            indicator.multiplier,
            series.numerator,
            series.denominator,
            series.numerator / series.denominator as share_with_event,
            case
                when {{ matches("lower(series.breakdown || series.breakdown_value)", "'quintile'") }} then 5 else 10
            end as quantiles
        from {{ ref("int_indicator_value") }} as series
        inner join {{ ref("int_indicator") }} as indicator using (indicator_id)
        inner join
            {{ ref("inequality_group") }} as sort
            on sort.group_type = 'deprivation'
            and {{ matches("series.breakdown", "'(?i)' || sort.breakdown_pattern") }}
        inner join
            {{ ref("deprivation_quantile") }} as quantile
            on {{ matches("lower(series.breakdown_value)", "quantile.pattern") }}
        where
            indicator.statistic in ('rate', 'proportion')
            and series.numerator > 0
            and series.denominator > 0
            and (indicator.statistic = 'rate' or series.numerator < series.denominator)
            and not {{ matches("series.breakdown", "'^(sex|age), '") }}
            and (series.level = 'england' or not {{ has_word("series.usage_warnings", "'rounded'") }})
    ),

    whole as (
        select *
        from ordered
        qualify
            count(distinct quantile) over (partition by {{ keys }}) = quantiles
            and count(*) over (partition by {{ keys }}) = quantiles
    ),

    limited as (
        select
            *,
            {% for side in ["lower", "upper"] %}
                case
                    kind
                    when 'rate'
                    then {{ rate_limit("numerator", "denominator", 1, side) }}
                    else {{ wilson_limit("numerator", "denominator", 1, side) }}
                end as share_{{ side }},
            {% endfor %}
        from whole
    ),

    scaled as (
        select
            *,
            {{ on_error_scale("share_with_event", "kind") }} as value_on_scale,
            {{ error_of_interval("share_lower", "share_upper", "kind") }} as error
        from limited
    )

select
    {{ keys }},
    breakdown_value,
    quantile,
    kind,
    multiplier,
    inequality_share,
    inequality_rank,
    value_on_scale,
    error,
    multiplier * sii as sii,
    rii
from {{ slope_index("scaled", keys.split(", "), "quantile", "denominator", "share_with_event") }}
order by {{ keys }}, quantile
