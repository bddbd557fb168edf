{# The one shape that every staging model gives: names and types of its columns. A model may leave columns out; they
   are NULL then. See docs/adding-a-source.md. #}
{% macro observation_columns() %}
    {{
        return(
            {
                "release_key": "varchar",
                "source_row": "bigint",
                "source_row_count": "integer",
                "source_id": "varchar",
                "indicator_id": "varchar",
                "organisation_scheme": "varchar",
                "published_code": "varchar",
                "published_name": "varchar",
                "level": "varchar",
                "country": "varchar",
                "period_label": "varchar",
                "period_start": "date",
                "period_end": "date",
                "breakdown": "varchar",
                "breakdown_value": "varchar",
                "numerator": "double",
                "denominator": "double",
                "publisher_value": "double",
                "publisher_multiplier": "double",
                "publisher_lower_95": "double",
                "publisher_upper_95": "double",
                "publisher_lower_998": "double",
                "publisher_upper_998": "double",
                "adjusted_value": "double",
                "adjusted_lower_95": "double",
                "adjusted_upper_95": "double",
                "comparator_value": "double",
                "comparator_name": "varchar",
                "publisher_band": "varchar",
                "adjusted_band": "varchar",
                "publisher_adjusted_band": "integer",
                "publisher_status": "varchar",
                "coverage": "double",
                "is_suppressed": "boolean",
                "is_denominator_withheld": "boolean",
                "is_counted_elsewhere": "boolean",
                "least_numerator": "double",
                "least_denominator": "double",
                "greatest_numerator": "double",
                "greatest_denominator": "double",
                "usage_warnings": "varchar[]",
                "note": "varchar",
                "exclusion_rule": "varchar",
                "publisher_trend": "varchar",
                "is_published_value_kept": "boolean",
                "is_implied": "boolean",
                "content_until": "date",
                "series_id": "varchar",
            }
        )
    }}
{% endmacro %}

{# What two observations have in common where only one of them can stand: columns of int_resolved_observation. #}
{% macro observation_identity() %}
    {{
        return(
            [
                "source_id",
                "indicator_id",
                "level",
                "published_place",
                "period_start",
                "period_end",
                "breakdown",
                "breakdown_value",
                "publisher_status",
            ]
        )
    }}
{% endmacro %}

{# An empty relation of that shape: the base that the staging models are unioned onto by name. #}
{% macro no_observations() %}
    select
        {% for name, type in observation_columns().items() %}
            null::{{ type }} as {{ name }}{{ "," if not loop.last }}
        {% endfor %}
    where false
{% endmacro %}

{# What ships of the standing observations of one audience, disclosure applied: a masked cell has no number, denominator,
   rate or interval; a withheld denominator takes the exact rate and interval with it. `rule` names the column that
   keeps rows out of the marts. #}
{% macro shipped_observations(audience, rule="exclusion_rule") %}
    with
        standing as (
            -- a rate that the publisher withholds (publisher_status) is not computed from its counts either; where a
            -- published value does not follow from the counts (standardised rates), it stands
            select
                observation.*,
                indicator.statistic,
                indicator.multiplier,
                case
                    when publisher_status is null and not coalesce(is_published_value_kept, false)
                    then {{ countable_events("numerator") }}
                end as counted_numerator
            from {{ judged_observations() }} as observation
            left join {{ ref("int_indicator") }} as indicator using (indicator_id)
            where
                coalesce({{ rule }}, '') not in ('superseded_release', 'superseded_row', 'repeated_row')
                and audience = '{{ audience }}'
                and not coalesce(is_implied, false)
        ),

        measured as (select *, {{ measure_columns("counted_numerator", "denominator", "standing") }} from standing)

    select
        source_id,
        indicator_id,
        series_id,
        level,
        coalesce(organisation_code, published_code) as organisation_code,
        published_name as organisation_name,
        organisation_scheme,
        published_code,
        country,
        period_label,
        period_start,
        period_end,
        breakdown,
        breakdown_value,
        numerator,
        case when not coalesce(is_denominator_withheld, false) then denominator end as denominator,
        {{ shipped_measures() }},
        publisher_value,
        adjusted_value,
        adjusted_lower_95,
        adjusted_upper_95,
        comparator_value,
        comparator_name,
        publisher_band,
        adjusted_band,
        publisher_adjusted_band,
        case when not coalesce(is_suppressed, false) then coverage end as coverage,
        publisher_status,
        publisher_trend,
        case when value is not null then if(counted_value is null, 'publisher', 'counts') end as value_source,
        coalesce(is_suppressed, false) as is_suppressed,
        coalesce(is_denominator_withheld, false) as is_denominator_withheld,
        {{
            warnings(
                {
                    "suppressed": "is_suppressed",
                    "small_numbers": "numerator between 0 and 19 and statistic = 'rate'",
                    "denominator_withheld": "is_denominator_withheld",
                    "provisional": "is_provisional",
                    "publisher_note": "note is not null",
                    "corrected": "is_corrected",
                    "arrival_warning": "has_arrival_warning",
                    "synthetic": "is_synthetic",
                },
                beside="usage_warnings",
            )
        }} as usage_warnings,
        note,
        {{ rule }} as exclusion_rule,
        release_key,
        source_row,
        coalesce(source_row_count, 1) as source_row_count
    from measured
    order by source_id, indicator_id, period_start, period_end, breakdown, breakdown_value, level, organisation_code
{% endmacro %}
