-- Grain: release × measure × unit, network or nation. A measure whose definition has changed has a series a definition
-- (seed nnap_series): never one line. Units have no code: name and network together stand for one.
with
    series as (
        select measure, indicator_id, coalesce(first_year, 0) as first_year, coalesce(last_year, 9999) as last_year
        from {{ ref("nnap_series") }}
    )

select
    results.release_key,
    results.source_row,
    1 as source_row_count,
    'nnap' as source_id,
    series.indicator_id,
    'name' as organisation_scheme,
    case
        results.level
        when 'england'
        then 'E92000001'
        when 'uk'
        then 'K02000001'
        when 'network'
        then {{ name_as_code("results.name") }}
        else {{ name_as_code("results.name") }} || '.' || {{ name_as_code("results.network") }}
    end as published_code,
    coalesce(
        trim(results.name), case results.level when 'england' then 'England' when 'uk' then 'United Kingdom' end
    ) as published_name,
    results.level,
    case
        results.level when 'uk' then 'United Kingdom' when 'england' then 'England' else results.country
    end as country,
    results.data_year::varchar as period_label,
    {{ date_of("results.data_year::integer", 1, 1) }} as period_start,
    {{ date_of("results.data_year::integer", 12, 31) }} as period_end,
    'all' as breakdown,
    'all' as breakdown_value,
    {{ unless_masked("results.numerator") }}::double as numerator,
    {{ unless_masked("results.denominator") }}::double as denominator,
    {{ unless_masked("results.value") }} as publisher_value,
    results.level_mean as comparator_value,
    case when results.unit_level is not null then 'mean of ' || results.unit_level || 's' end as comparator_name,
    {{ is_row_masked() }} as is_suppressed,
    {{ warnings({"template_entry": "true"}) }} as usage_warnings,
    {{ note_on_missing(["numerator", "denominator", "value"], "results.note") }} as note,
    case when results.level = 'uk' then 'wider_than_england' end as exclusion_rule
from {{ fresh("nnap__unit_results") }} as results
inner join
    series on results.measure = series.measure and results.data_year between series.first_year and series.last_year
