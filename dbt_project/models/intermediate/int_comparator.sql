{% set keys = "source_id, indicator_id, period_start, period_end, breakdown, breakdown_value" %}
-- Grain: indicator × period × breakdown × breakdown value × source: what a value is compared with where its publisher
-- gives no comparator of its own: England, without the trusts whose value is implausible.
with
    implausible as (
        select {{ keys }}, sum(numerator) as numerator, sum(denominator) as denominator
        from {{ ref("fct_observation") }}
        where level = 'trust' and exclusion_rule is null and {{ has_word("usage_warnings", "'implausible'") }}
        group by all
    )

select
    england.source_id,
    england.indicator_id,
    england.period_start,
    england.period_end,
    england.breakdown,
    england.breakdown_value,
    england.coverage as england_coverage,
    case
        when england.denominator > implausible.denominator
        then
            greatest(0, england.numerator - implausible.numerator)
            / (england.denominator - implausible.denominator)
            * indicator.multiplier
        else england.value
    end as comparator_value,
    case
        when england.denominator > implausible.denominator or england.value_source = 'counts'
        then 'recomputed'
        else 'publisher'
    end as comparator_basis
from {{ ref("int_area_value") }} as england
inner join {{ ref("int_indicator") }} as indicator using (indicator_id)
left join implausible using ({{ keys }})
where england.level = 'england' and england.value is not null
