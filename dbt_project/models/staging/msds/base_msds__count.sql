-- Grain: release × published level × organisation × dimension × category: the rows of the annual and the monthly
-- data files, typed, with repeated rows as one. `source_row` is the first of them.
{{ config(materialized="table") }}
with
    published as (
        select
            * exclude (period),
            period as period_label,
            make_date(left(period, 4)::integer, 4, 1) as period_start,
            make_date(left(period, 4)::integer + 1, 3, 31) as period_end,
            false as is_date_repaired
        from {{ source("landed", "msds__annual") }}
        union all by name
        -- the end date is right in every copy; where the start is not the first of its month, day and month of
        -- it have been swapped (the arrival gate refuses anything else)
        select
            * exclude (start_date, end_date),
            strftime(end_date, '%Y-%m') as period_label,
            date_trunc('month', end_date)::date as period_start,
            last_day(end_date) as period_end,
            start_date <> date_trunc('month', end_date) as is_date_repaired
        from {{ source("landed", "msds__monthly_data") }}
    ),

    single as (
        select
            release_key,
            org_level,
            trim(org_code) as published_code,
            arg_min(trim(org_name), source_row) as published_name,
            dimension,
            measure,
            min(source_row) as source_row,
            count(*) as source_row_count,
            arg_min(period_label, source_row) as period_label,
            arg_min(period_start, source_row) as period_start,
            arg_min(period_end, source_row) as period_end,
            bool_or(is_date_repaired) as is_date_repaired,
            arg_min({{ msds_number("value") }}, source_row) as number,
            arg_min({{ msds_word("value") }}, source_row) as word
        from published
        group by release_key, org_level, trim(org_code), coalesce(trim(org_code), trim(org_name)), dimension, measure
    ),

    -- categories that say that nothing is known: never in the denominator of the others
    unknown_category as (
        select distinct category.measure
        from (select distinct measure from single) as category
        inner join
            {{ ref("msds_unknown_category") }} as pattern on regexp_matches(lower(category.measure), pattern.pattern)
    ),

    {% set of_all = (
        "over (partition by single.release_key, single.org_level, single.published_code, single.dimension)"
    ) %}

    totalled as (
        select
            single.*,
            unknown_category.measure is not null as is_unknown,
            -- a sum that lacks a masked part is none
            case
                when bool_and(single.number is not null or unknown_category.measure is not null) {{ of_all }}
                then sum(single.number) filter (where unknown_category.measure is null) {{ of_all }}
            end as known_total,
            case
                when bool_and(single.number is not null) {{ of_all }} then sum(single.number) {{ of_all }}
            end as whole_total
        from single
        left join unknown_category on single.measure = unknown_category.measure
    )

select
    totalled.*,
    coalesce(level.level, 'unknown') as level,
    country.country,
    word.meaning as word_meaning,
    if(is_unknown, whole_total, known_total) as category_total
from totalled
left join {{ ref("msds_org_level") }} as level on lower(trim(totalled.org_level)) = level.published_level
left join
    {{ ref("country_of_code") }} as country
    on level.level = country.level
    and regexp_full_match(totalled.published_code, country.code_pattern)
left join {{ ref("msds_value_word") }} as word on totalled.word = word.word
