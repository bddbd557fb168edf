{# The columns that all indicator marts share, in the order of the contract, from a relation `trended` that has them
   and `indicator` beside it. #}
{% macro shared_mart_columns() %}
    trended.indicator_id,
    indicator.indicator_name,
    indicator.concept_id,
    trended.series_id,
    trended.source_id,
    trended.period_label,
    trended.period_start,
    trended.period_end,
    {{ months_covered("trended.usage_warnings", "trended.period_start", "trended.period_end") }}::integer
    as months_covered,
    trended.breakdown,
    trended.breakdown_value,
    trended.numerator,
    trended.denominator,
    trended.value,
    indicator.unit,
    trended.lower_95,
    trended.upper_95,
    trended.lower_998,
    trended.upper_998,
    trended.method,
    trended.publisher_value,
    trended.adjusted_value,
    trended.adjusted_lower_95,
    trended.adjusted_upper_95,
    trended.effective_comparator as comparator_value,
    trended.comparator_basis,
    trended.comparison,
    trended.verdict,
    trended.verdict_basis,
    trended.verdict_level,
    trended.excess,
    trended.publisher_band,
    trended.publisher_adjusted_band,
    trended.coverage,
    trended.value_source,
    trended.recent_trend,
    coalesce(trended.is_suppressed, false) as is_suppressed,
    trended.usage_warnings,
    {{ has_word("trended.usage_warnings", "'synthetic'") }} as is_synthetic,
    trended.release_key
{% endmacro %}

{# Months that a period covers: years, quarters and months of one series stand on lines of their own. #}
{% macro period_months(starts, ends) -%}
    (
        (extract(year from {{ ends }}) - extract(year from {{ starts }})) * 12
        + extract(month from {{ ends }})
        - extract(month from {{ starts }})
        + 1
    )
{%- endmacro %}

{# What a row is compared with and how it is judged, beside the columns of `observation`: its publisher's own comparator,
   else England's (`england`, of int_comparator; none where there is none), the meaning of its indicator, of how many published
   counts its own are the sum, and how they are rounded. #}
{% macro compared_columns(publisher_comparator, has_england=true, counts_added="1") -%}
    {{ publisher_comparator }} as publisher_comparator,
    {% if has_england -%}
        coalesce({{ publisher_comparator }}, england.comparator_value) as effective_comparator,
        case
            when {{ publisher_comparator }} is not null then 'publisher' else england.comparator_basis
        end as comparator_basis,
        england.england_coverage,
    {%- else -%}
        {{ publisher_comparator }} as effective_comparator,
        case when {{ publisher_comparator }} is not null then 'publisher' end as comparator_basis,
        null::double as england_coverage,
    {%- endif %}
    {{ counts_added }} as counts_added,
    rounding.nearest as rounding_nearest,
    rounding.small_least as rounding_least,
    rounding.small_greatest as rounding_greatest,
    indicator.statistic,
    indicator.multiplier,
    indicator.is_mortality,
    coalesce(outcome.polarity, indicator.polarity) as polarity
{%- endmacro %}

{# The joins that those columns need. #}
{% macro compared_joins(observation, has_england=true) -%}
    inner join {{ ref("int_indicator") }} as indicator on {{ observation }}.indicator_id = indicator.indicator_id
    left join
        {{ ref("int_outcome") }} as outcome
        on {{ observation }}.indicator_id = outcome.indicator_id
        and {{ observation }}.breakdown = outcome.breakdown
        and {{ observation }}.breakdown_value = outcome.breakdown_value
    left join {{ ref("count_rounding") }} as rounding on {{ observation }}.source_id = rounding.source_id
    {% if has_england -%}
        left join
            {{ ref("int_comparator") }} as england
            on {{ observation }}.source_id = england.source_id
            and {{ observation }}.indicator_id = england.indicator_id
            and {{ observation }}.period_start = england.period_start
            and {{ observation }}.period_end = england.period_end
            and {{ observation }}.breakdown = england.breakdown
            and {{ observation }}.breakdown_value = england.breakdown_value
    {%- endif %}
{%- endmacro %}

{# A mart's relation with the recent trend of each row, over the series of `points`: the same rows before they were judged.
   One series an organisation, series of an indicator, length of period, breakdown and source; `organisation` lists the
   columns that name the organisation. Values over rolling windows are no independent points, and values that are not
   believable are none: they have no trend. What a trend needs is read apart from the wide rows and joined to them by the
   mart's grain, for a window sorts all columns. #}
{% macro with_trend(relation, points, organisation) %}
    {%- set series = ["source_id", "breakdown", "breakdown_value"] + organisation -%}
    {%- set grain = series + ["indicator_id", "period_start", "period_end"] -%}
    (
        with
            points as (
                select
                    {{ grain | join(", ") }},
                    series_id,
                    numerator,
                    denominator,
                    value,
                    lower_95,
                    upper_95,
                    case
                        when
                            not {{ has_word("usage_warnings", "'rolling_window'") }}
                            and not {{ is_unbelievable("usage_warnings") }}
                        then statistic
                    end as statistic,
                    polarity
                from {{ points }}
            ),

            trends as (
                select {{ grain | join(", ") }}, recent_trend
                from
                    {{
                        recent_trend(
                            "points",
                            series + ["series_id", period_months("period_start", "period_end")],
                            "period_start",
                            "period_end",
                            "numerator",
                            "denominator",
                            "value",
                            "lower_95",
                            "upper_95",
                            "statistic",
                            "polarity",
                        )
                    }}
            )

        select {{ relation }}.*, trends.recent_trend
        from {{ relation }}
        inner join trends using ({{ grain | join(", ") }})
    )
{% endmacro %}

{# LMS, region and England marts: one shape, other organisation columns. #}
{% macro area_mart(level, organisation_columns, joins="") %}
    with
        compared as {{ made_for_each_reader() }} (
            select
                area.*,
                {{
                    compared_columns(
                        "area.publisher_comparator_value",
                        level != "england",
                        "case area.value_source when 'counts' then area.trusts_reporting else 1 end",
                    )
                }}
            from {{ ref("int_area_value") }} as area {{ compared_joins("area", level != "england") }}
            where area.level = '{{ level }}'
        ),

        judged as (select * from {{ with_verdict("compared") }}),

        trended as (select * from {{ with_trend("judged", "compared", ["area_code"]) }})

    select
        {{ organisation_columns }}{{ "," if organisation_columns }}
        {{ shared_mart_columns() }},
        trended.trusts_expected::integer as trusts_expected,
        trended.trusts_reporting::integer as trusts_reporting,
        trended.is_complete,
        trended.value_min,
        trended.value_max
    from trended
    inner join {{ ref("int_indicator") }} as indicator using (indicator_id) {{ joins }}
    order by
        trended.source_id,
        trended.indicator_id,
        trended.period_start,
        trended.period_end,
        trended.breakdown,
        trended.breakdown_value,
        trended.area_code
{% endmacro %}

{# The end of a trust mart: its last three parts, from a relation with the observations of trusts, `lms_code` and
   `compared_columns`. The public mart and its restricted twin differ in that relation. #}
{% macro trust_mart(relation) %}
    judged as (select * from {{ with_verdict(relation) }}),

    trended as (select * from {{ with_trend("judged", relation, ["organisation_code"]) }})

    select
        trended.organisation_code as trust_code,
        trust.name as trust_name,
        lms.lms_code,
        lms.lms_name,
        lms.region_code,
        lms.region_name,
        {{ shared_mart_columns() }}
    from trended
    inner join {{ ref("int_indicator") }} as indicator using (indicator_id)
    inner join {{ ref("dim_lms") }} as lms using (lms_code)
    left join
        {{ ref("dim_organisation") }} as trust
        on trust.level = 'trust'
        and trust.code = trended.organisation_code
        and trended.period_end between trust.valid_from and trust.valid_to
    order by
        trended.source_id,
        trended.indicator_id,
        trended.period_start,
        trended.period_end,
        trended.breakdown,
        trended.breakdown_value,
        trended.organisation_code
{% endmacro %}
