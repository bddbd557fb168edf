-- Grain: indicator × breakdown × category: the outcomes that are judged: every catalogue outcome, and the categories of
-- distributions that are one (term babies under 2,500 g), with direction, tier and what is plausible, in the
-- indicator's unit.
with
    reported as (
        select distinct indicator_id, breakdown, breakdown_value
        from {{ ref("int_observation") }}
        where breakdown in ('all', 'category')
    )

select
    reported.indicator_id,
    reported.breakdown,
    reported.breakdown_value,
    outcome.polarity,
    outcome.tier,
    outcome.plausible_low,
    outcome.plausible_high,
    outcome.believable_low,
    outcome.believable_high
from reported
inner join
    {{ ref("outcome") }} as outcome
    on {{ matches_whole("reported.indicator_id", "outcome.indicator_pattern") }}
    and {{ matches_whole("lower(reported.breakdown_value)", "outcome.category_pattern") }}
qualify
    row_number() over (
        partition by reported.indicator_id, reported.breakdown, reported.breakdown_value
        order by length(outcome.indicator_pattern)
    )
    = 1
