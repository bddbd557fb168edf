-- Grain: release × organisation × outcome × counting basis: outcomes of the catalogue that the data files hold as
-- categories of a distribution (reference.msds_outcome), so that their years and months stand beside other sources.
-- An outcome of several categories has a value where each of them has a number.
with
    outcome_part as (
        select
            outcome.dimension_id,
            outcome.indicator_id as outcome_id,
            part.word as category,
            count(*) over (partition by outcome.indicator_id) as categories
        from {{ ref("msds_outcome") }} as outcome
        inner join {{ word_rows(ref("msds_outcome"), "indicator_id", "categories") }} as part using (indicator_id)
    ),

    summed as (
        select
            part.outcome_id as indicator_id,
            replace(counted.series_id, counted.indicator_id, part.outcome_id) as series_id,
            counted.release_key,
            counted.source_id,
            counted.organisation_scheme,
            counted.published_code,
            counted.published_name,
            counted.level,
            counted.country,
            counted.period_label,
            counted.period_start,
            counted.period_end,
            min(counted.source_row) as source_row,
            count(counted.numerator) = any_value(part.categories) as is_whole,
            sum(counted.numerator) as numerator,
            max(counted.denominator) as denominator,
            -- alike for all categories of a distribution
            max(counted.coverage) as coverage,
            bool_or(counted.is_suppressed) as is_suppressed,
            bool_and(counted.is_implied) as is_implied,
            {{ all_words("counted.usage_warnings") }} as usage_warnings
        from {{ ref("stg_msds__count") }} as counted
        inner join
            outcome_part as part on counted.indicator_id = part.dimension_id and counted.breakdown_value = part.category
        where counted.breakdown = 'category' and counted.exclusion_rule is null
        group by all
    )

select
    * exclude (is_whole),
    -- made of rows that count already
    0 as source_row_count,
    'all' as breakdown,
    'all' as breakdown_value,
    numerator as least_numerator,
    denominator as least_denominator,
    numerator as greatest_numerator,
    denominator as greatest_denominator
from summed
where is_whole and denominator > 0
