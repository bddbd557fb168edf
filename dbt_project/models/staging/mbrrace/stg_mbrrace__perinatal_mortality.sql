-- Grain: release × organisation × measure (stillbirth, neonatal death, extended perinatal death).
--
-- Disclosure, by the rule of SOURCES.md: births give masked deaths away in three ways (total less live births in
-- one file; extended perinatal's births less neonatal's live births; live births of one file less those of the
-- other). So wherever any cell of an organisation and year is masked in either file, the live-birth denominator
-- is marked to be withheld, and a masked cell keeps neither number nor denominator. The bounds of a masked count
-- use only what stays visible: its total births and its extended perinatal count.
with
    releases as (
        select *, '' as suffix
        from {{ source("landed", "mbrrace__perinatal_mortality") }}
        union all by name
        select *, '_excluding_congenital_anomalies' as suffix
        from {{ source("landed", "mbrrace__perinatal_mortality_excluding_congenital_anomalies") }}
    ),

    masks as (
        select
            *,
            stillbirths < 0 as stillbirths_masked,
            neonatal_deaths < 0 as neonatal_deaths_masked,
            perinatal_deaths < 0 as perinatal_deaths_masked,
            bool_or(stillbirths < 0 or neonatal_deaths < 0 or perinatal_deaths < 0) over (
                partition by organisation_code, report_year
            ) as any_masked,
            -- an extended perinatal count is masked below 3, so at most 2 of either kind
            if(perinatal_deaths < 0, 2, perinatal_deaths) as most_deaths,
            -- births that are not visible count to the hundred, one number for both files of a year: the births
            -- that one file has more are the deaths that it has more
            round(max(total_births) over (partition by organisation_code, report_year), -2) as about_births
        from releases
    ),

    bounds as (
        select
            *,
            -- the births that go with the least and with the greatest rate
            if(perinatal_deaths_masked, about_births + 100, total_births) as least_births,
            if(perinatal_deaths_masked, about_births - 100, total_births) as greatest_births
        from masks
    ),

    measures as (
        select
            *,
            unnest(
                [
                    {
                        'indicator':'stillbirth_rate',
                        'masked':stillbirths_masked,
                        'deaths':stillbirths,
                        'births':total_births,
                        'withheld':false,
                        'least_births':least_births,
                        'rate':crude_stillbirth_rate,
                        'band':crude_stillbirth_category,
                        'adjusted':stabilised_stillbirth_rate,
                        'adjusted_band':stabilised_stillbirth_category,
                        'interval':stabilised_stillbirth_interval,
                        'average':group_average_stillbirth_rate
                    },
                    {
                        'indicator':'neonatal_mortality_rate',
                        'masked':neonatal_deaths_masked,
                        'deaths':neonatal_deaths,
                        'births':total_live_births,
                        'withheld':any_masked,
                        -- with no neonatal death all visible deaths are stillbirths: the fewest live births
                        -- possible
                        'least_births':if(perinatal_deaths_masked, least_births, total_births - most_deaths),
                        'rate':crude_neonatal_death_rate,
                        'band':crude_neonatal_death_category,
                        'adjusted':stabilised_neonatal_death_rate,
                        'adjusted_band':stabilised_neonatal_death_category,
                        'interval':stabilised_neonatal_death_interval,
                        'average':group_average_neonatal_death_rate
                    },
                    {
                        'indicator':'extended_perinatal_mortality_rate',
                        'masked':perinatal_deaths_masked,
                        'deaths':perinatal_deaths,
                        'births':total_births,
                        'withheld':false,
                        'least_births':least_births,
                        'rate':crude_perinatal_death_rate,
                        'band':crude_perinatal_death_category,
                        'adjusted':stabilised_perinatal_death_rate,
                        'adjusted_band':stabilised_perinatal_death_category,
                        'interval':stabilised_perinatal_death_interval,
                        'average':group_average_perinatal_death_rate
                    }
                ]
            ) as measure
        from bounds
    )

select
    release_key,
    source_row,
    1 as source_row_count,
    'mbrrace' as source_id,
    measure.indicator || suffix as indicator_id,
    'mbrrace' as organisation_scheme,
    organisation_code::varchar as published_code,
    trim(organisation_name) as published_name,
    'trust' as level,
    country_name as country,
    report_year::varchar as period_label,
    make_date(report_year, 1, 1) as period_start,
    make_date(report_year, 12, 31) as period_end,
    'all' as breakdown,
    'all' as breakdown_value,
    case when not measure.masked then measure.deaths end::double as numerator,
    case when not measure.masked then measure.births end::double as denominator,
    case when not measure.masked then measure.rate end as publisher_value,
    measure.adjusted as adjusted_value,
    try_cast(split_part(measure.interval, ' to ', 1) as double) as adjusted_lower_95,
    try_cast(split_part(measure.interval, ' to ', 2) as double) as adjusted_upper_95,
    measure.average as comparator_value,
    comparator_group as comparator_name,
    case when not measure.masked then measure.band end as publisher_band,
    measure.adjusted_band as adjusted_band,
    measure.masked as is_suppressed,
    measure.withheld and not measure.masked as is_denominator_withheld,
    if(measure.masked, 0, measure.deaths)::double as least_numerator,
    if(measure.masked, measure.least_births, measure.births)::double as least_denominator,
    if(measure.masked, most_deaths, measure.deaths)::double as greatest_numerator,
    if(measure.masked, greatest_births, measure.births)::double as greatest_denominator,
    []::varchar[] as usage_warnings
from measures
