-- Grain: indicator × level × organisation × period × group type × group × source: rates by ethnicity and deprivation
-- where the publisher gives them, against the reference group (White; least deprived): rate ratio with a log-normal 95%
-- interval, and the absolute gap; over whole sets of deprivation quintiles or deciles the slope and relative index.
with
    -- patterns are asked of each group once, not of each row
    known as (
        select
            found.breakdown,
            found.breakdown_value,
            kind.group_type,
            {{ matches("found.breakdown_value", "'(?i)' || kind.reference_pattern") }} as is_reference
        from (select distinct breakdown, breakdown_value from {{ ref("int_indicator_value") }}) as found
        inner join
            {{ ref("inequality_group") }} as kind
            on {{ matches("found.breakdown", "'(?i)' || kind.breakdown_pattern") }}
        -- groups of the whole, not of one sex or age ("sex, deprivation decile"): those have references of their own
        where not {{ matches("found.breakdown", "'^(sex|age), '") }}
    ),

    grouped as (
        select series.*, known.group_type, known.is_reference
        from {{ ref("int_indicator_value") }} as series
        inner join known using (breakdown, breakdown_value)
        where series.value is not null
    ),

    compared as (
        select
            grouped.*,
            reference.breakdown_value as reference_group,
            reference.value as reference_value,
            reference.numerator as reference_numerator,
            reference.denominator as reference_denominator
        from grouped
        left join
            grouped as reference
            on reference.is_reference
            and grouped.level = reference.level
            and grouped.organisation_code = reference.organisation_code
            and grouped.source_id = reference.source_id
            and grouped.indicator_id = reference.indicator_id
            and grouped.period_start = reference.period_start
            and grouped.period_end = reference.period_end
            and grouped.breakdown = reference.breakdown
    )

select
    compared.indicator_id,
    compared.indicator_name,
    compared.source_id,
    compared.level,
    compared.organisation_code,
    compared.organisation_name,
    compared.lms_code,
    compared.period_label,
    compared.period_start,
    compared.period_end,
    compared.group_type,
    compared.breakdown,
    compared.breakdown_value as "group",
    compared.numerator,
    compared.denominator,
    compared.value as rate,
    compared.lower_95,
    compared.upper_95,
    compared.unit,
    compared.reference_group,
    compared.value / nullif(compared.reference_value, 0) as ratio,
    {% for side in ["lower", "upper"] %}
        -- the reference group is 1 by definition
        case
            when not compared.is_reference
            then
                {{
                    rate_ratio_limit(
                        "compared.numerator",
                        "compared.denominator",
                        "compared.reference_numerator",
                        "compared.reference_denominator",
                        side,
                    )
                }}
        end as ratio_{{ side }}_95,
    {% endfor %}
    compared.value - compared.reference_value as gap,
    slope.sii,
    -- simulated outside SQL: warehouse/inequality_limits.py
    null::double as sii_lower_95,
    null::double as sii_upper_95,
    slope.rii,
    null::double as rii_lower_95,
    null::double as rii_upper_95,
    case when target.withdrawn_on is null then target.target end as target,
    case when target.withdrawn_on is null then target.due_year end as target_due_year,
    compared.usage_warnings,
    compared.is_synthetic,
    compared.release_key
from compared
left join
    {{ ref("int_inequality_index") }} as slope
    on compared.source_id = slope.source_id
    and compared.indicator_id = slope.indicator_id
    and compared.level = slope.level
    and compared.organisation_code = slope.organisation_code
    and compared.period_start = slope.period_start
    and compared.period_end = slope.period_end
    and compared.breakdown = slope.breakdown
    and compared.breakdown_value = slope.breakdown_value
left join
    {{ ref("indicator_target") }} as target
    on compared.indicator_id = target.indicator_id
    and compared.breakdown = target.breakdown
    and compared.breakdown_value = target.breakdown_value
order by
    compared.source_id,
    compared.indicator_id,
    compared.level,
    compared.organisation_code,
    compared.period_start,
    compared.breakdown,
    compared.breakdown_value
