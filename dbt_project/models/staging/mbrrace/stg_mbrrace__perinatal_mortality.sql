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
        from {{ fresh("mbrrace__perinatal_mortality") }}
        union all by name
        select *, '_excluding_congenital_anomalies' as suffix
        from {{ fresh("mbrrace__perinatal_mortality_excluding_congenital_anomalies") }}
    ),

    masks as (
        select
            *,
            {{ is_masked("stillbirths") }} as stillbirths_masked,
            {{ is_masked("neonatal_deaths") }} as neonatal_deaths_masked,
            {{ is_masked("perinatal_deaths") }} as perinatal_deaths_masked,
            bool_or({{ is_row_masked() }}) over (partition by organisation_code, report_year) as any_masked,
            -- an extended perinatal count is masked below 3, so at most 2 of either kind
            if({{ is_masked("perinatal_deaths") }}, 2, perinatal_deaths) as most_deaths,
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

    {# with no neonatal death all visible deaths are stillbirths: the fewest live births possible #}
    {% set measures = [
        {
            "indicator": "stillbirth_rate",
            "of": "stillbirth",
            "deaths": "stillbirths",
            "births": "total_births",
            "is_withheld": "false",
            "least_births": "least_births",
        },
        {
            "indicator": "neonatal_mortality_rate",
            "of": "neonatal_death",
            "deaths": "neonatal_deaths",
            "births": "total_live_births",
            "is_withheld": "any_masked",
            "least_births": "if(perinatal_deaths_masked, least_births, total_births - most_deaths)",
        },
        {
            "indicator": "extended_perinatal_mortality_rate",
            "of": "perinatal_death",
            "deaths": "perinatal_deaths",
            "births": "total_births",
            "is_withheld": "false",
            "least_births": "least_births",
        },
    ] %}

    measured as (
        {% for measure in measures %}
            select
                *,
                '{{ measure.indicator }}' as indicator,
                {{ measure.deaths }}_masked as is_masked,
                {{ measure.deaths }} as deaths,
                {{ measure.births }} as births,
                {{ measure.is_withheld }} as is_withheld,
                {{ measure.least_births }} as least_births_at_risk,
                crude_{{ measure.of }}_rate as rate,
                crude_{{ measure.of }}_category as band,
                stabilised_{{ measure.of }}_rate as adjusted_rate,
                stabilised_{{ measure.of }}_category as adjusted_rate_band,
                stabilised_{{ measure.of }}_category_id as adjusted_rate_category,
                stabilised_{{ measure.of }}_interval as adjusted_limits,
                group_average_{{ measure.of }}_rate as average
            from bounds
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    )

select
    release_key,
    source_row,
    1 as source_row_count,
    'mbrrace' as source_id,
    indicator || suffix as indicator_id,
    'mbrrace' as organisation_scheme,
    organisation_code::varchar as published_code,
    trim(organisation_name) as published_name,
    'trust' as level,
    country_name as country,
    report_year::varchar as period_label,
    {{ date_of("report_year", 1, 1) }} as period_start,
    {{ date_of("report_year", 12, 31) }} as period_end,
    'all' as breakdown,
    'all' as breakdown_value,
    case when not is_masked then deaths end::double as numerator,
    case when not is_masked then births end::double as denominator,
    case when not is_masked then rate end as publisher_value,
    adjusted_rate as adjusted_value,
    try_cast(split_part(adjusted_limits, ' to ', 1) as double) as adjusted_lower_95,
    try_cast(split_part(adjusted_limits, ' to ', 2) as double) as adjusted_upper_95,
    average as comparator_value,
    comparator_group as comparator_name,
    case when not is_masked then band end as publisher_band,
    adjusted_rate_band as adjusted_band,
    nullif(adjusted_rate_category, 0)::integer as publisher_adjusted_band,
    is_masked as is_suppressed,
    is_withheld and not is_masked as is_denominator_withheld,
    if(is_masked, 0, deaths)::double as least_numerator,
    if(is_masked, least_births_at_risk, births)::double as least_denominator,
    if(is_masked, most_deaths, deaths)::double as greatest_numerator,
    if(is_masked, greatest_births, births)::double as greatest_denominator,
    {{ warnings() }} as usage_warnings
from measured
