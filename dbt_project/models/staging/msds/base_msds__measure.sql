-- Grain: release × published level × organisation × indicator × part, where the parts are `rate` (the rows
-- Numerator, Denominator and Rate, as one), `result` (Pass or Fail) and `unknown` (a currency that is not in the
-- seed). `source_row` is the first row of the part.
{{ config(materialized="table") }}
with
    published as (
        select
            measure.release_key,
            measure.source_row,
            trim(measure.org_level) as org_level,
            {{ msds_code("measure.org_code", "measure.org_name") }} as published_code,
            trim(measure.org_name) as published_name,
            trim(measure.indicator) as indicator,
            measure.start_date,
            measure.end_date,
            coalesce(currency.part, 'unknown') as part,
            currency.multiplier as printed_multiplier,
            {{ is_masked("value") }} as is_masked,
            {{ is_missing(["value"]) }} as is_missing,
            {{ msds_number("measure.value") }} as number,
            {{ msds_word("measure.value") }} as word
        from {{ fresh("msds__monthly_measures") }} as measure
        left join {{ ref("msds_currency") }} as currency on trim(measure.currency) = currency.currency
    ),

    worded as (
        select published.*, word.meaning as word_meaning
        from published
        left join {{ ref("msds_value_word") }} as word using (word)
    ),

    joined as (
        select
            release_key,
            org_level,
            published_code,
            indicator,
            case when part in ('result', 'unknown') then part else 'rate' end as part,
            min(source_row) as source_row,
            count(*) as source_row_count,
            min_by(published_name, source_row) as published_name,
            min(end_date) as end_date,
            bool_or(start_date <> date_trunc('month', end_date)) as is_date_repaired,
            min_by(number, source_row) filter (where part = 'numerator') as numerator,
            min_by(number, source_row) filter (where part = 'denominator') as denominator,
            min_by(number, source_row) filter (where part = 'rate') as printed_rate,
            max(printed_multiplier) as printed_multiplier,
            min(word) filter (where word_meaning = 'status') as publisher_status,
            bool_or(is_masked) as is_suppressed,
            bool_or(is_missing) as is_missing,
            bool_or(word is not null and word_meaning is null) as is_unreadable
        from worded
        group by all
    ),

    placed as (
        select joined.*, coalesce(level.level, 'unknown') as level
        from joined
        left join {{ ref("msds_org_level") }} as level on lower(trim(joined.org_level)) = level.published_level
    )

select
    placed.*,
    country.country,
    left(end_date::varchar, 7) as period_label,
    date_trunc('month', end_date)::date as period_start,
    last_day(end_date) as period_end
from placed
left join
    {{ countries_by_code("placed") }} as country
    on placed.level = country.level
    and placed.published_code = country.published_code
