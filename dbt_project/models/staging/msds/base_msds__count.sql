-- Grain: release × published level × organisation × dimension × counting basis × category: the rows of the annual and
-- the monthly data files, typed, with repeated rows as one. `source_row` is the first of them. `measure` is the
-- category in one spelling (reference.msds_category), `published_category` as the publisher's file has it.
{{ config(materialized="table") }}
with
    dated as (
        select
            * exclude (period),
            period as period_label,
            {{ date_of("left(period, 4)::integer", 4, 1) }} as period_start,
            {{ date_of("left(period, 4)::integer + 1", 3, 31) }} as period_end,
            false as is_date_repaired
        from {{ fresh("msds__annual") }}
        union all by name
        -- the end date is right in every copy; where the start is not the first of its month, day and month of
        -- it have been swapped (the arrival gate refuses anything else)
        select
            * exclude (start_date, end_date),
            left(end_date::varchar, 7) as period_label,
            date_trunc('month', end_date)::date as period_start,
            last_day(end_date) as period_end,
            start_date <> date_trunc('month', end_date) as is_date_repaired
        from {{ fresh("msds__monthly_data") }}
    ),

    published as (
        select
            dated.* replace (
                trim(dated.dimension) as dimension,
                trim(dated.org_level) as org_level,
                nullif({{ msds_category("dated.measure") }}, '') as measure
            ),
            lower(trim(dated.count_of)) as counted,
            name.source_id,
            name.indicator_id,
            coalesce({{ is_category_a_date("dated.measure") }}, false) as is_category_repaired
        from dated
        inner join
            {{ ref("base_msds__name") }} as name
            on trim(dated.dimension) = name.publisher_indicator
            and name.kind <> 'measure'
    ),

    first_rows as (
        select release_key, min(source_row) as source_row, count(*) as source_row_count
        from published
        group by
            release_key, lower(trim(org_level)), {{ msds_code("org_code", "org_name") }}, dimension, counted, measure
    ),

    single as (
        select
            published.* exclude (org_code, org_name, value, measure, cell_words, masked_cells, missing_cells),
            published.measure as published_category,
            coalesce(own.category, common.category, published.measure) as measure,
            coalesce(own.category, common.category) is not null as is_known_category,
            {{ msds_code("published.org_code", "published.org_name") }} as published_code,
            trim(published.org_name) as published_name,
            first_rows.source_row_count,
            {{ is_masked("value") }} as is_masked,
            {{ is_missing(["value"]) }} as is_missing,
            {{ msds_number("published.value") }} as number,
            {{ msds_word("published.value") }} as word
        from published
        inner join first_rows using (release_key, source_row)
        left join
            {{ ref("msds_category") }} as own
            on published.indicator_id = own.indicator_id
            and published.measure = own.label
        left join {{ ref("msds_category") }} as common on common.indicator_id = '*' and published.measure = common.label
    ),

    -- categories that say that nothing is known: never in the denominator of the others
    unknown_category as (
        select distinct category.measure
        from (select distinct measure from single) as category
        inner join
            {{ ref("msds_unknown_category") }} as pattern on {{ matches("lower(category.measure)", "pattern.pattern") }}
    ),

    known as (
        select single.*, unknown_category.measure is not null as is_unknown, coalesce(level.level, 'unknown') as level
        from single
        left join unknown_category on single.measure = unknown_category.measure
        left join {{ ref("msds_org_level") }} as level on lower(trim(single.org_level)) = level.published_level
    ),

    -- a sum that lacks a masked part is none
    totals as (
        select
            release_key,
            org_level,
            published_code,
            dimension,
            counted,
            case
                when bool_and(number is not null or is_unknown) then sum(number) filter (where not is_unknown)
            end as known_total,
            case when bool_and(number is not null) then sum(number) end as whole_total
        from known
        group by release_key, org_level, published_code, dimension, counted
    )

select
    known.*,
    totals.known_total,
    totals.whole_total,
    if(known.is_unknown, totals.whole_total, totals.known_total) as category_total,
    country.country,
    word.meaning as word_meaning
from known
inner join
    totals
    on known.release_key = totals.release_key
    and known.org_level = totals.org_level
    and known.published_code = totals.published_code
    and known.dimension = totals.dimension
    and known.counted = totals.counted
left join
    {{ countries_by_code("known") }} as country
    on known.level = country.level
    and known.published_code = country.published_code
left join {{ ref("msds_value_word") }} as word on known.word = word.word
