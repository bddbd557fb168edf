-- Grain: release × organisation × dimension × category. A dimension with categories is a distribution: numerator
-- the count, denominator the sum of the known categories; a category that says that nothing is known stands
-- over all. A dimension without categories is a count, or an average without counts.
--
-- Files that leave zeros out: a trust that gives known categories of a dimension, but not this one, had none. Such
-- implied zeros count in sums of trusts (is_implied) and are not shown as published values.
with
    knowing as (
        select release_key, dimension, counted, bool_or(is_unknown) as tells_unknown
        from {{ ref("base_msds__count") }}
        group by release_key, dimension, counted
    ),

    named as (
        select
            base.*,
            name.rolling_months,
            -- the mean of something counts nothing
            coalesce(base.measure is null and base.counted like 'average%', false) as is_average,
            knowing.tells_unknown
        from {{ ref("base_msds__count") }} as base
        inner join
            knowing
            on base.release_key = knowing.release_key
            and base.dimension = knowing.dimension
            and base.counted = knowing.counted
        inner join
            {{ ref("base_msds__name") }} as name on base.dimension = name.publisher_indicator and name.kind <> 'measure'
    ),

    observed as (
        select
            *,
            if(measure is null, 'all', 'category') as breakdown,
            coalesce(measure, 'all') as breakdown_value,
            case when not is_average then number end as numerator,
            -- a distribution of which nothing is known is not reported
            case
                when measure is not null and number is not null and (category_total > 0 or whole_total = 0)
                then category_total
            end as denominator,
            case when measure is null then number end as publisher_value,
            case when word_meaning = 'status' then word end as publisher_status,
            is_masked as is_suppressed,
            case when is_missing then 'The publisher says that it gives no value' end as note,
            case
                when level = 'unknown'
                then 'unknown_level'
                when word is not null and word_meaning is null
                then 'unreadable_value'
                -- how many months or organisations sent data: no births or women
                when counted in ('months', 'organisations')
                then 'about_the_submission'
            end as exclusion_rule,
            false as is_implied
        from named
    ),

    without_zeros as (select release_key from named group by release_key having count(*) filter (where number = 0) = 0),

    reported as (
        select
            release_key,
            level,
            published_code,
            dimension,
            counted,
            any_value(known_total) as known_total,
            any_value(whole_total) as whole_total,
            min(source_row) as source_row
        from named
        where level = 'trust'
        group by release_key, level, published_code, dimension, counted
    ),

    categories as (
        select distinct release_key, dimension, counted, measure, is_unknown from named where measure is not null
    ),

    implied as (
        select
            first_row.* exclude (measure, is_unknown, source_row_count, word, word_meaning, is_masked, is_missing),
            categories.is_unknown,
            0 as source_row_count,
            'category' as breakdown,
            categories.measure as breakdown_value,
            0::double as numerator,
            if(categories.is_unknown, reported.whole_total, reported.known_total) as denominator,
            true as is_implied
        from without_zeros
        inner join reported using (release_key)
        inner join categories using (release_key, dimension, counted)
        anti join
            named as listed
            on reported.release_key = listed.release_key
            and reported.level = listed.level
            and reported.published_code = listed.published_code
            and reported.dimension = listed.dimension
            and reported.counted = listed.counted
            and categories.measure = listed.measure
        inner join
            named as first_row
            on reported.release_key = first_row.release_key
            and reported.source_row = first_row.source_row
        -- a trust that knows nothing of a dimension does not report it
        where if(categories.is_unknown, reported.whole_total, reported.known_total) > 0
    ),

    together as (
        select *
        from observed
        union all by name
        select *
        from implied
    )

select
    release_key,
    source_row,
    source_row_count::integer as source_row_count,
    source_id,
    indicator_id,
    -- women, babies and deliveries are counted on lines of their own
    indicator_id || ':' || counted as series_id,
    {{ msds_scheme("published_code") }} as organisation_scheme,
    published_code,
    published_name,
    level,
    country,
    period_label,
    period_start,
    period_end,
    breakdown,
    breakdown_value,
    numerator,
    denominator,
    publisher_value,
    publisher_status,
    -- the share of the records of which something is known, where the release tells of how many nothing is
    case
        when breakdown = 'category' and not is_unknown and tells_unknown then known_total / nullif(whole_total, 0)
    end as coverage,
    coalesce(is_suppressed, false) as is_suppressed,
    numerator as least_numerator,
    denominator as least_denominator,
    numerator as greatest_numerator,
    denominator as greatest_denominator,
    {{ msds_warnings("is_date_repaired", "rolling_months", "is_category_repaired") }} as usage_warnings,
    note,
    exclusion_rule,
    is_implied
from together
