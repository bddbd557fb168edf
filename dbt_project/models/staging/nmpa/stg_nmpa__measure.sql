-- Grain: release × organisation. Measure and year of birth come from the release's metadata (dataset, release), since
-- neither stands in the publisher's file.
with
    named as (
        select
            measure.*,
            upper(trim(replace(measure.organisation_code, chr(160), ' '))) as code,
            trim({{ replace_matches("replace(measure.organisation_name, chr(160), ' ')", "'\\s+'", "' '") }}) as name,
            release.dataset as measure_id,
            release.release as audit_year,
            max(measure.gb_mean) over (partition by measure.release_key) as release_mean
        from {{ fresh("nmpa__measure") }} as measure
        inner join {{ source("landed", "release") }} as release using (release_key)
    ),

    placed as (
        select
            named.*,
            region.region_code,
            case
                when named.name in ('England', 'Scotland', 'Wales') and coalesce(length(named.code), 9) = 9
                then 'country'
                when named.name in ('Great Britain', 'GB')
                then 'gb'
                when region.region_code is not null
                then 'region'
                when site.site_code is not null or length(named.code) = 5
                then 'site'
                else 'trust'
            end as area_level
        from named
        left join
            {{ ref("nhs_region") }} as region
            on named.code = region.region_code
            or (
                named.code is null and {{ normalised_name("named.name") }} = {{ normalised_name("region.region_name") }}
            )
        left join {{ ref("msds_delivery_site") }} as site on named.code = site.site_code
    )

select
    release_key,
    source_row,
    1 as source_row_count,
    'nmpa' as source_id,
    measure_id as indicator_id,
    'ods' as organisation_scheme,
    case
        when area_level = 'country' and name = 'England'
        then 'E92000001'
        when area_level = 'region'
        then region_code
        else code
    end as published_code,
    name as published_name,
    case when area_level = 'country' and name = 'England' then 'england' else area_level end as level,
    case when area_level = 'country' then name else coalesce(country, {{ country_of_code("code") }}) end as country,
    replace(audit_year, '-', '/') as period_label,
    {{ template_period_start("replace(audit_year, '-', '/')") }} as period_start,
    {{ template_period_end("replace(audit_year, '-', '/')") }} as period_end,
    'all' as breakdown,
    'all' as breakdown_value,
    {{ unless_masked("numerator") }}::double as numerator,
    {{ unless_masked("denominator") }}::double as denominator,
    {{ unless_masked("unadjusted_rate") }} as publisher_value,
    {{ unless_masked("adjusted_rate") }} as adjusted_value,
    gb_mean as comparator_value,
    case when gb_mean is not null then 'GB mean' end as comparator_name,
    {{ is_row_masked() }} as is_suppressed,
    -- a predecessor keeps its own row, without a mean; its births are its successor's too
    gb_mean is null and release_mean is not null and numerator is not null as is_counted_elsewhere,
    {{ warnings() }} as usage_warnings,
    case
        when {{ is_row_masked() }}
        then null
        when {{ is_missing(["numerator", "denominator", "unadjusted_rate", "adjusted_rate"]) }}
        then 'The publisher says that it gives no value'
        when numerator is null and unadjusted_rate is null
        then 'No result: the organisation''s data did not meet the audit''s data-quality checks'
    end as note,
    case when area_level = 'gb' then 'wider_than_england' end as exclusion_rule
from placed
