-- Grain: one row a theme or figure that a national body has published as prose, as in the seed, with what can be read
-- from its texts without guessing: kind, number, cases, period. A text that allows two readings keeps none.
{{ config(alias="published_theme") }}
with
    worded as (
        select
            row_number() over (order by source, period, theme_or_measure, value, url) as published_theme_number,
            *,
            -- 'Y6 2024/25' and 'to 2022-06': the year of a scheme and an open start say nothing of the end
            regexp_replace(period, '^(Y\d+|to) ', '') as plain_period,
            regexp_extract_all(value, '\d+(?:\.\d+)?') as numbers
        from {{ ref("published_theme") }}
    ),

    dated as (
        select
            *,
            case when starts_with(period, 'to ') then null else left(plain_period, 4)::integer end as first_year,
            case
                when contains(plain_period, '..') or starts_with(period, 'to ')
                then left(regexp_extract(plain_period, '\d{4}(-\d{2})?$'), 4)
                when regexp_full_match(plain_period, '\d{4}[/-]\d{2}')
                then left(plain_period, 2) || right(plain_period, 2)
                else right(plain_period, 4)
            end::integer as last_year,
            contains(plain_period, '/') as is_financial,
            try_cast(regexp_extract(plain_period, '^\d{4}-(\d{2})\.\.', 1) as integer) as first_month,
            try_cast(regexp_extract(plain_period, '(?:\.\.|^)\d{4}-(\d{2})$', 1) as integer) as last_month,
            regexp_full_match(plain_period, '\d{4}-\d{2}') and not starts_with(period, 'to ') as is_range_of_years
        from worded
    )

select
    source as publisher,
    theme_source.source_id,
    period as period_label,
    make_date(first_year, case when is_financial then 4 else coalesce(first_month, 1) end, 1) as period_start,
    last_day(
        make_date(
            last_year, case when is_financial then 3 when is_range_of_years then 12 else coalesce(last_month, 12) end, 1
        )
    ) as period_end,
    theme_or_measure as statement,
    case
        when unit = 'theme'
        then 'theme'
        when starts_with(unit, 'count')
        then 'count'
        when unit = 'share' or starts_with(unit, '%')
        then 'share'
        else unit
    end as kind,
    case
        when regexp_full_match(value, '\d+ in \d+')
        then 100 * numbers[1]::double / numbers[2]::double
        when contains(value, ' vs ')
        then null
        else numbers[1]::double
    end as value,
    case
        when starts_with(value, '>') or contains(unit, 'more than')
        then 'more than'
        when starts_with(value, '~') or contains(value, ' in ')
        then 'about'
    end as value_is,
    nullif(value, '') as published_value,
    unit as published_unit,
    try_cast(replace(regexp_extract(denominator, '^[\d,]+'), ',', '') as integer) as denominator,
    nullif(denominator, '') as published_denominator,
    status = 'seen' as is_seen,
    status,
    url as source_url
from dated
left join {{ ref("published_theme_source") }} as theme_source on dated.source = theme_source.publisher
order by published_theme_number
