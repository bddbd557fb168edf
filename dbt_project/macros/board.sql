{# What the dashboard takes over from a trust's value. #}
{% macro board_values() %}
    indicator_id,
    source_id,
    period_label,
    period_start,
    period_end,
    months_covered,
    numerator,
    denominator,
    value,
    unit,
    lower_95,
    upper_95,
    comparison,
    verdict,
    verdict_basis,
    verdict_level,
    recent_trend
{% endmacro %}

{# The measures of the 2020 guide and the indicators that tell of them, and each trust's newest value of every one, from
   a relation with the columns of marts.trust_indicator: the CTEs `measures` and `newest`. #}
{% macro board_measures(trust_values) %}
    measures as (
        select
            measure.measure_id,
            measure.measure,
            measure.place::integer as place,
            measure.reason_where_blank,
            indicator.indicator_id,
            indicator.target as programme_target
        from {{ ref("board_measure") }} as measure
        left join
            {{ ref("int_indicator") }} as indicator
            on {{ has_word(split_words("measure.indicator_ids"), "indicator.indicator_id") }}
            or (measure.ambition_id is not null and measure.ambition_id = indicator.ambition_id)
    ),

    newest as (
        select
            trust_code,
            trust_name,
            lms_code,
            measures.measure_id,
            measures.measure,
            measures.place,
            {{ board_values() }},
            measures.programme_target,
            case
                when is_suppressed
                then 'masked by the publisher: small numbers'
                when value is null
                then 'the publisher gives no value'
            end as reason_blank,
            usage_warnings,
            release_key
        from {{ trust_values }}
        inner join measures using (indicator_id)
        where breakdown = 'all'
        qualify
            row_number() over (
                partition by trust_code, measures.measure_id, indicator_id, source_id
                order by period_end desc, period_start desc
            )
            = 1
    )
{% endmacro %}
