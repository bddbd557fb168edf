-- Grain: release × organisation × indicator × part: the rate with its counts, and beside it the result (Pass,
-- Fail) of its data-quality standard. A rate that the publisher withholds (Low DQ, DNS) is a status too: its counts
-- are not in the publisher's own sums either. A rate masked with "*" has a numerator of 1 to 7.
with
    named as (
        select
            base.*,
            name.indicator_id,
            name.breakdown,
            name.breakdown_value,
            name.rolling_months,
            -- numbers that ship: none of a rate that is masked or withheld
            base.is_suppressed
            or coalesce(base.part = 'rate' and base.publisher_status is not null, false) as is_hidden,
            case when not is_hidden then base.numerator end as visible_numerator,
            case when not is_hidden then base.denominator end as visible_denominator,
            case
                when base.level = 'unknown'
                then 'unknown_level'
                when base.part = 'unknown'
                then 'unknown_currency'
                when base.is_unreadable
                then 'unreadable_value'
            end as exclusion_rule
        from {{ ref("base_msds__measure") }} as base
        inner join
            {{ ref("base_msds__name") }} as name on base.indicator = name.publisher_indicator and name.kind = 'measure'
    )

select
    named.release_key,
    named.source_row,
    named.source_row_count::integer as source_row_count,
    'msds' as source_id,
    named.indicator_id,
    {{ msds_scheme("named.published_code") }} as organisation_scheme,
    named.published_code,
    named.published_name,
    named.level,
    named.country,
    named.period_label,
    named.period_start,
    named.period_end,
    named.breakdown,
    named.breakdown_value,
    named.visible_numerator as numerator,
    named.visible_denominator as denominator,
    case when not named.is_hidden then named.printed_rate end as publisher_value,
    named.printed_multiplier as publisher_multiplier,
    named.publisher_status,
    named.is_suppressed,
    if(named.is_suppressed, rounding.small_least, named.numerator)::double as least_numerator,
    named.denominator as least_denominator,
    if(named.is_suppressed, rounding.small_greatest, named.numerator)::double as greatest_numerator,
    named.denominator as greatest_denominator,
    {{ msds_warnings("named.is_date_repaired", "named.rolling_months") }} as usage_warnings,
    case when named.is_missing then 'The publisher says that it gives no value' end as note,
    named.exclusion_rule
from named
left join {{ ref("count_rounding") }} as rounding on rounding.source_id = 'msds'
