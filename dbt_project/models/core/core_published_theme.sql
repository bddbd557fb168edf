-- Grain: one row a theme or figure that a national body has published as prose, as in the seed, with what can be read
-- from its texts without guessing: kind, number, cases, period. A text that allows two readings keeps none.
{{ config(alias="published_theme") }}
with
    worded as (
        select
            row_number() over (order by source, period, theme_or_measure, value, url) as published_theme_number,
            *,
            -- 'Y6 2024/25' and 'to 2022-06': the year of a scheme and an open start say nothing of the end
            {{ replace_matches("period", "'^(Y[0-9]+|to) '", "''") }} as plain_period,
            {{ first_match("value", "'[0-9]+(?:[.][0-9]+)?'") }}::double as first_number
        from {{ ref("published_theme") }}
    ),

    dated as (
        select
            *,
            case when period like 'to %' then null else left(plain_period, 4)::integer end as first_year,
            case
                when plain_period like '%..%' or period like 'to %'
                then left({{ first_match("plain_period", "'[0-9]{4}(-[0-9]{2})?$'") }}, 4)
                when {{ matches_whole("plain_period", "'[0-9]{4}[/-][0-9]{2}'") }}
                then left(plain_period, 2) || right(plain_period, 2)
                else right(plain_period, 4)
            end::integer as last_year,
            plain_period like '%/%' as is_financial,
            try_cast({{ first_match("plain_period", "'^[0-9]{4}-([0-9]{2})[.][.]'", 1) }} as integer) as first_month,
            try_cast(
                {{ first_match("plain_period", "'(?:[.][.]|^)[0-9]{4}-([0-9]{2})$'", 1) }} as integer
            ) as last_month,
            {{ matches_whole("plain_period", "'[0-9]{4}-[0-9]{2}'") }} and not period like 'to %' as is_range_of_years
        from worded
    )

select
    source as publisher,
    theme_source.source_id,
    period as period_label,
    {{ date_of("first_year", "case when is_financial then 4 else coalesce(first_month, 1) end", 1) }} as period_start,
    {% set month = "case when is_financial then 3 when is_range_of_years then 12 else coalesce(last_month, 12) end" %}
    last_day({{ date_of("last_year", month, 1) }}) as period_end,
    theme_or_measure as statement,
    case
        when unit = 'theme'
        then 'theme'
        when unit like 'count%'
        then 'count'
        when unit = 'share' or left(unit, 1) = '%'
        then 'share'
        else unit
    end as kind,
    case
        when {{ matches_whole("value", "'[0-9]+ in [0-9]+'") }}
        then 100 * first_number / {{ first_match("value", "' in ([0-9]+)$'", 1) }}::double
        when value like '% vs %'
        then null
        else first_number
    end as value,
    case
        when value like '>%' or unit like '%more than%'
        then 'more than'
        when value like '~%' or value like '% in %'
        then 'about'
    end as value_is,
    nullif(value, '') as published_value,
    unit as published_unit,
    try_cast(replace({{ first_match("denominator", "'^[0-9,]+'") }}, ',', '') as integer) as denominator,
    nullif(denominator, '') as published_denominator,
    status = 'seen' as is_seen,
    status,
    url as source_url
from dated
left join {{ ref("published_theme_source") }} as theme_source on dated.source = theme_source.publisher
order by published_theme_number
