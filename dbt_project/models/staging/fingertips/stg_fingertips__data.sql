-- Grain: row of a file of values: indicator × area × period × sex × age × category.
--
-- What stands under several parents (England's rows do, where the parent is England) is counted once. A
-- published value stays as published unless count, denominator and unit give the same value: a standardised rate
-- must not be recomputed from crude counts.
with
    periods as (
        select distinct
            time_period,
            indicator.publisher_indicator as indicator_id,
            {{ plain_period("time_period") }} as label,
            year_type.slash_month,
            year_type.plain_month,
            year_type.is_point
        from {{ fresh("fingertips__data") }} as published
        inner join
            {{ ref("base_fingertips__indicator") }} as indicator
            on published.indicator_id = indicator.publisher_indicator
        left join
            (
                select indicator_type.year_type, type.slash_month, type.plain_month, type.is_point
                from (select distinct year_type from {{ ref("base_fingertips__indicator") }}) as indicator_type
                left join {{ ref("fingertips_year_type") }} as known using (year_type)
                inner join
                    {{ ref("fingertips_year_type") }} as type on type.year_type = coalesce(known.year_type, 'Calendar')
            ) as year_type using (year_type)
    ),

    dated as (
        select
            indicator_id,
            time_period,
            {{ period_start_of("label", "slash_month", "plain_month", "is_point") }} as period_start,
            {{ period_end_of("label", "slash_month", "plain_month", "is_point") }} as period_end
        from periods
    ),

    areas as (select distinct area_code, area_type from {{ fresh("fingertips__data") }} as published),

    levels as (
        select areas.*, known.level, known.scheme, known.country, known.exclusion_rule
        from areas
        inner join
            {{ ref("area_level") }} as known
            on {{ matches_whole("areas.area_code", "known.code_pattern") }}
            and {{ matches_whole("coalesce(lower(areas.area_type), '')", "known.type_pattern") }}
        qualify row_number() over (partition by areas.area_code, areas.area_type order by known.place) = 1
    ),

    cleaned as (
        select
            * replace (
                -- what the note says is missing is no value, whatever number stands there
                case when not {{ is_missing(["value_note"]) }} then value end as value,
                case when count >= 0 and not {{ is_missing(["value_note"]) }} then count end as count,
                case when denominator >= 0 and not {{ is_missing(["value_note"]) }} then denominator end as denominator,
                coalesce(
                    nullif(trim({{ replace_matches("value_note", "'</?[A-Za-z][^>]*>'", "' '") }}), ''),
                    case
                        when cell_marks is not null then 'The publisher''s website marks this row as having a note'
                    end,
                    case when {{ is_missing(["value"]) }} then 'The publisher says that it gives no value' end
                ) as value_note
            ),
            row_number() over (
                partition by
                    release_key,
                    indicator_id,
                    area_code,
                    time_period,
                    sex,
                    age,
                    category_type,
                    category,
                    value,
                    count,
                    denominator,
                    lower_95,
                    upper_95
                order by source_row
            ) as copy_number,
            -- hospital counts are rounded to five: every count of an indicator at a level is then
            count(count) over of_a_kind >= 20 and bool_and(count % 5 = 0) over of_a_kind as is_rounded
        from {{ fresh("fingertips__data") }} as published
        window of_a_kind as (partition by release_key, indicator_id, area_type)
    ),

    explained as (
        select
            cleaned.*,
            indicator.indicator_id as our_indicator_id,
            indicator.multiplier,
            indicator.statistic,
            dated.period_start,
            dated.period_end,
            levels.level,
            levels.scheme,
            levels.country,
            levels.exclusion_rule as level_rule,
            {{ is_row_masked() }}
            or coalesce(
                value is null
                and count is null
                and {{ matches("lower(value_note)", "'suppress|disclos|small number|small count|too small'") }},
                false
            ) as is_suppressed,
            -- the parts that a row is about, where it is not about all: a sex, an age, a category of a kind
            case when cleaned.sex is distinct from indicator.headline_sex then cleaned.sex end as part_sex,
            case when cleaned.age is distinct from indicator.headline_age then cleaned.age end as part_age,
            case when category is not null then trim(category_type) end as part_kind,
            case when category_type is not null then trim(category) end as part_category
        from cleaned
        inner join
            {{ ref("base_fingertips__indicator") }} as indicator on cleaned.indicator_id = indicator.publisher_indicator
        inner join dated on cleaned.indicator_id = dated.indicator_id and cleaned.time_period = dated.time_period
        inner join
            levels on cleaned.area_code = levels.area_code and cleaned.area_type is not distinct from levels.area_type
    )

select
    release_key,
    source_row,
    1 as source_row_count,
    'fingertips' as source_id,
    our_indicator_id as indicator_id,
    scheme as organisation_scheme,
    upper(trim(area_code)) as published_code,
    trim({{ replace_matches("area_name", "'\\s+'", "' '") }}) as published_name,
    level,
    country,
    trim(time_period) as period_label,
    period_start,
    period_end,
    case
        when coalesce(part_sex, part_age, part_category) is null
        then 'all'
        else
            concat_ws(
                ', ',
                case when part_sex is not null then 'sex' end,
                case when part_age is not null then 'age' end,
                part_kind
            )
    end as breakdown,
    case
        when coalesce(part_sex, part_age, part_category) is null
        then 'all'
        else concat_ws(', ', part_sex, part_age, part_category)
    end as breakdown_value,
    case when not is_suppressed then count end as numerator,
    case when not is_suppressed then denominator end as denominator,
    case when not is_suppressed then value end as publisher_value,
    -- limits that are in the wrong order are none (the arrival gate has warned)
    case when value is not null and not is_suppressed and lower_95 <= upper_95 then lower_95 end as publisher_lower_95,
    case when value is not null and not is_suppressed and lower_95 <= upper_95 then upper_95 end as publisher_upper_95,
    case
        when value is not null and not is_suppressed and lower_998 <= upper_998 then lower_998
    end as publisher_lower_998,
    case
        when value is not null and not is_suppressed and lower_998 <= upper_998 then upper_998
    end as publisher_upper_998,
    'England' as comparator_name,
    nullif(compared_to_england, 'Not compared') as publisher_band,
    recent_trend as publisher_trend,
    is_suppressed as is_suppressed,
    -- printed decimals decide what agrees
    not coalesce(
        statistic in ('rate', 'proportion')
        and denominator > 0
        and (statistic = 'rate' or count <= denominator)
        and abs(count / denominator * multiplier - value)
        <= 0.5001 * power(10, - least(length(split_part(value::varchar, '.', 2)), 9)) + 1e-7 * abs(value),
        false
    ) as is_published_value_kept,
    {{
        warnings(
            {
                "combined_area": matches("lower(value_note)", "'^value for .+ combined'"),
                "rounded": "is_rounded and count is not null",
            }
        )
    }} as usage_warnings,
    value_note as note,
    -- how new the file is for this indicator: to the end of the newest period that it gives a value for
    max(period_end) filter (where value is not null) over (partition by release_key, indicator_id) as content_until,
    case
        when copy_number > 1
        then 'repeated_row'
        when level_rule is not null
        then level_rule
        when period_start is null or period_end is null or period_start > period_end
        then 'unknown_period'
    end as exclusion_rule
from explained
