{# For staging models of sources whose material is entered by a template (docs/templates.md). A source whose folder has
   such a model lists `<source>__observations` or `<source>__findings` in its _sources.yml. #}
{# First day of a period as templates write it: 2024, 2023/24, 2024-03, 2022-03..2023-02. #}
{% macro template_period_start(period) -%}
    case
        when {{ period }} like '%/%'
        then {{ date_of("left(" ~ period ~ ", 4)::integer", 4, 1) }}
        when length({{ period }}) = 4
        then {{ date_of(period ~ "::integer", 1, 1) }}
        else {{ date_of("left(" ~ period ~ ", 4)::integer", "substr(" ~ period ~ ", 6, 2)::integer", 1) }}
    end
{%- endmacro %}

{# Last day of such a period. #}
{% macro template_period_end(period) -%}
    case
        when {{ period }} like '%/%'
        then {{ date_of("left(" ~ period ~ ", 4)::integer + 1", 3, 31) }}
        when length({{ period }}) = 4
        then {{ date_of(period ~ "::integer", 12, 31) }}
        else
            last_day(
                {{ date_of("left(right(" ~ period ~ ", 7), 4)::integer", "right(" ~ period ~ ", 2)::integer", 1) }}
            )
    end
{%- endmacro %}

{# A name as a code, for organisations that have none: "St Mary's, Leeds" → "st-mary-s-leeds". #}
{% macro name_as_code(name) -%}
    trim({{ replace_matches("lower(" ~ name ~ ")", "'[^a-z0-9]+'", "'-'") }}, '-')
{%- endmacro %}

{# Country of an organisation by its code: 7A… Welsh, S08… Scottish, ZT… Northern Irish health bodies; the rest English. #}
{% macro country_of_code(code) -%}
    case
        when {{ code }} like '7A%' or {{ code }} like 'W0%'
        then 'Wales'
        when {{ code }} like 'S08%' or {{ code }} like 'S92%'
        then 'Scotland'
        when {{ code }} like 'ZT%' or {{ code }} like 'N92%'
        then 'Northern Ireland'
        else 'England'
    end
{%- endmacro %}

{# All observations that were entered by template for one source, in the common shape. #}
{% macro template_observations(source_id) %}
    select
        entered.release_key,
        entered.source_row,
        1 as source_row_count,
        '{{ source_id }}' as source_id,
        entered.indicator as indicator_id,
        case
            when entered.organisation_code is null and entered.level not in ('england', 'england_and_wales')
            then 'name'
            else 'ods'
        end as organisation_scheme,
        case
            entered.level
            when 'england'
            then 'E92000001'
            when 'england_and_wales'
            then 'K04000001'
            when 'uk'
            then 'K02000001'
            when 'region'
            then
                coalesce(region.region_code, entered.organisation_code, {{ name_as_code("entered.organisation_name") }})
            when 'trust'
            then upper(entered.organisation_code)
            else coalesce(upper(entered.organisation_code), {{ name_as_code("entered.organisation_name") }})
        end as published_code,
        trim(
            coalesce(
                entered.organisation_name,
                case
                    entered.level
                    when 'england'
                    then 'England'
                    when 'england_and_wales'
                    then 'England and Wales'
                    when 'uk'
                    then 'United Kingdom'
                end,
                region.region_name
            )
        ) as published_name,
        entered.level,
        case
            when entered.level = 'uk'
            then 'United Kingdom'
            else {{ country_of_code("upper(entered.organisation_code)") }}
        end as country,
        entered.period as period_label,
        {{ template_period_start("entered.period") }} as period_start,
        {{ template_period_end("entered.period") }} as period_end,
        coalesce(entered.breakdown, 'all') as breakdown,
        coalesce(entered.breakdown_value, 'all') as breakdown_value,
        {{ unless_masked("entered.numerator") }} as numerator,
        {{ unless_masked("entered.denominator") }} as denominator,
        {{ unless_masked("try_cast(entered.value as double)") }} as publisher_value,
        {{ unless_masked("entered.lower_95") }} as publisher_lower_95,
        {{ unless_masked("entered.upper_95") }} as publisher_upper_95,
        case when try_cast(entered.value as double) is null then entered.value end as publisher_status,
        {{ is_row_masked() }} as is_suppressed,
        {{ warnings({"template_entry": "true"}) }} as usage_warnings,
        {{ note_on_missing(["numerator", "denominator", "value"], "entered.note") }} as note,
        case when entered.level in ('uk', 'england_and_wales') then 'wider_than_england' end as exclusion_rule
    from {{ fresh(source_id ~ "__observations") }} as entered
    left join
        {{ ref("nhs_region") }} as region
        on entered.level = 'region'
        and (
            upper(entered.organisation_code) = region.region_code
            or (
                entered.organisation_code is null
                and {{ normalised_name("entered.organisation_name") }} = {{ normalised_name("region.region_name") }}
            )
        )
{% endmacro %}

{# All findings that were entered by template, or read from documents into it, for one source. #}
{% macro template_findings(source_id) %}
    select
        release_key,
        source_row,
        1 as source_row_count,
        '{{ source_id }}' as source_id,
        trim(document_title) as document_title,
        document_url,
        published_on,
        kind,
        trim(text) as text,
        count,
        denominator,
        share,
        page,
        trim(heading) as heading,
        trim(recipient) as recipient,
        trim(status) as status,
        extracted_by
    from {{ source("landed", source_id ~ "__findings") }}
{% endmacro %}
