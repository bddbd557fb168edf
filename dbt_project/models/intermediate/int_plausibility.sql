-- Grain: indicator × level × organisation × period × breakdown × breakdown value × release, only what is not plausible.
-- Among outcomes (int_outcome), of at least 20 organisations with a denominator of 100 or more: far from the others
-- (log odds more than 6 median absolute deviations, and odds more than five-fold, from the median's), none or all where
-- that has a chance below one in a million and hardly anybody else shows it, or outside what the catalogue calls
-- plausible (none or all only where it has such a chance: nobody of a hundred is no fault). One such category makes the
-- organisation's whole distribution of the period implausible, with the outcomes that are made of it (msds_outcome).
{% set row = "release_key, indicator_id, level, published_code, period_start, period_end" %}
{% set group = "release_key, indicator_id, level, period_start, period_end, breakdown, breakdown_value" %}
with
    counted as (
        select
            {% for key in row.split(", ") %} observation.{{ key }}, {% endfor %}
            observation.breakdown,
            observation.breakdown_value,
            observation.numerator,
            observation.denominator,
            observation.numerator / observation.denominator * indicator.multiplier as value,
            outcome.plausible_low,
            outcome.plausible_high,
            outcome.believable_low,
            outcome.believable_high,
            indicator.statistic = 'proportion' as is_proportion,
            ln(
                (observation.numerator + 0.5e0) / case
                    when indicator.statistic = 'proportion'
                    then observation.denominator - observation.numerator + 0.5e0
                    else observation.denominator
                end
            ) as log_odds
        from {{ ref("int_observation") }} as observation
        inner join {{ ref("int_outcome") }} as outcome using (indicator_id, breakdown, breakdown_value)
        inner join {{ ref("int_indicator") }} as indicator using (indicator_id)
        where
            observation.exclusion_rule is null
            and observation.publisher_status is null
            and not coalesce(observation.is_implied, false)
            and indicator.statistic in ('rate', 'proportion')
            and observation.denominator >= 100
            and observation.numerator between 0 and case
                when indicator.statistic = 'proportion' then observation.denominator else observation.numerator
            end
    ),

    centred as (
        select
            *,
            count(*) over ({{ partition_clause(group.split(", ")) }}) as organisations,
            {{ quantile("log_odds", 0.5) }} over ({{ partition_clause(group.split(", ")) }}) as median_log_odds
        from counted
    ),

    spread as (
        select
            *,
            {{ quantile("abs(log_odds - median_log_odds)", 0.5) }} over (
                {{ partition_clause(group.split(", ")) }}
            ) as deviation,
            case when is_proportion then 1 / (1 + exp(- median_log_odds)) else exp(median_log_odds) end as median_share
        from centred
        where organisations >= 20
    ),

    -- the chance that nobody, or everybody, has it where the median's share holds
    chances as (
        select
            *,
            numerator = 0 as is_none,
            is_proportion and numerator = denominator as is_all,
            exp(- denominator * median_share) as chance_of_none,
            case when is_proportion then pow(median_share, denominator) end as chance_of_all
        from spread
    ),

    rarity as (
        select
            *,
            avg(case when denominator * median_share >= 1 then is_none::integer end) over (
                {{ partition_clause(group.split(", ")) }}
            ) as share_with_none,
            avg(case when denominator * (1 - median_share) >= 1 then is_all::integer end) over (
                {{ partition_clause(group.split(", ")) }}
            ) as share_with_all
        from chances
    ),

    implausible as (
        select {{ row }}, breakdown, breakdown_value
        from rarity
        where
            (value < plausible_low and (not is_none or chance_of_none < 1e-6))
            or (value > plausible_high and (not is_all or chance_of_all < 1e-6))
            or (is_none and chance_of_none < 1e-6 and share_with_none <= 0.05)
            or (is_all and chance_of_all < 1e-6 and share_with_all <= 0.05)
            or (
                not is_none
                and not is_all
                and coalesce(value not between believable_low and believable_high, true)
                and abs(log_odds - median_log_odds) > greatest(6 * deviation, 0.6)
                and abs(log_odds - median_log_odds) > ln(5)
            )
    ),

    reached as (
        select {{ row }}, breakdown, breakdown_value
        from implausible
        union
        select
            implausible.release_key,
            outcome.indicator_id,
            implausible.level,
            implausible.published_code,
            implausible.period_start,
            implausible.period_end,
            'all',
            'all'
        from implausible
        inner join {{ ref("msds_outcome") }} as outcome on implausible.indicator_id = outcome.dimension_id
        where implausible.breakdown = 'category'
    )

select distinct
    {% for key in row.split(", ") %} observation.{{ key }}, {% endfor %}
    observation.breakdown,
    observation.breakdown_value
from {{ ref("int_observation") }} as observation
inner join
    reached on {% for key in row.split(", ") %} observation.{{ key }} = reached.{{ key }} and {% endfor %}
    observation.breakdown = reached.breakdown
where observation.breakdown = 'category' or observation.breakdown_value = reached.breakdown_value
