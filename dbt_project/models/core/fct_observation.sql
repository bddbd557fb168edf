-- Grain: source × indicator × organisation × period × breakdown × breakdown value × publisher status: every
-- observation that stands,
-- rows outside the English marts included (exclusion_rule says why). Disclosure is applied here: a masked
-- cell has no
-- number, denominator, rate or interval; a withheld denominator takes the exact rate and interval with it.
with
    standing as (
        -- a rate that the publisher withholds (publisher_status) is not computed from its counts either
        select *, case when publisher_status is null then numerator end as counted_numerator
        from {{ ref("int_observation") }}
        where
            coalesce(exclusion_rule, '') not in ('superseded_release', 'superseded_row')
            and audience = 'public'
            and not coalesce(is_implied, false)
    ),

    measured as (
        select
            standing.*, indicator.statistic, {{ measure_columns("standing.counted_numerator", "standing.denominator") }}
        from standing
        left join {{ ref("int_indicator") }} as indicator using (indicator_id)
    )

select
    source_id,
    indicator_id,
    level,
    coalesce(organisation_code, published_code) as organisation_code,
    published_name as organisation_name,
    organisation_scheme,
    published_code,
    country,
    period_label,
    period_start,
    period_end,
    breakdown,
    breakdown_value,
    numerator,
    case when not coalesce(is_denominator_withheld, false) then denominator end as denominator,
    {{ shipped_measures() }},
    publisher_value,
    adjusted_value,
    adjusted_lower_95,
    adjusted_upper_95,
    comparator_value,
    comparator_name,
    publisher_band,
    adjusted_band,
    publisher_status,
    coalesce(is_suppressed, false) as is_suppressed,
    coalesce(is_denominator_withheld, false) as is_denominator_withheld,
    list_sort(
        list_distinct(
            list_concat(
                coalesce(usage_warnings, []::varchar[]),
                list_filter(
                    [
                        case when is_suppressed then 'suppressed' end,
                        case when numerator between 0 and 19 and statistic = 'rate' then 'small_numbers' end,
                        case when is_denominator_withheld then 'denominator_withheld' end,
                        case when is_provisional then 'provisional' end,
                        case when note is not null then 'publisher_note' end,
                        case when is_corrected then 'corrected' end,
                        case when has_arrival_warning then 'arrival_warning' end,
                        case when is_synthetic then 'synthetic' end
                    ],
                    lambda warning:warning is not null
                )
            )
        )
    ) as usage_warnings,
    note,
    exclusion_rule,
    release_key,
    source_row,
    coalesce(source_row_count, 1) as source_row_count
from measured
order by source_id, indicator_id, period_start, period_end, breakdown, breakdown_value, level, organisation_code
