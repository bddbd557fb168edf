{# A value as it is written in a sentence: one decimal for percentages, two else. #}
{% macro in_words(value, unit) -%}
    case
        when {{ unit }} = '%'
        then round({{ value }}, 1)::decimal(12, 1)::varchar || '%'
        else round({{ value }}, 2)::decimal(12, 2)::varchar || ' ' || {{ unit }}
    end
{%- endmacro %}

{# Why an entry of marts.attention stands there: whose verdict it is and what it rests on, in a sentence. #}
{% macro why_it_stands_out() -%}
    case
        when is_through_trusts
        then 'Trusts of the LMS are worse than what they are compared with'
        when verdict_basis = 'publisher' and source_id = 'mbrrace'
        then
            'MBRRACE-UK: stabilised & adjusted rate '
            || {{ in_words("adjusted_value", "unit") }}
            || ', over 5% above its group''s average of '
            || {{ in_words("comparator_value", "unit") }}
        when verdict_basis = 'publisher'
        then 'The publisher concludes: worse than England'
        when verdict_basis = 'publisher_adjusted_rate'
        then
            'The publisher''s adjusted rate '
            || {{ in_words("adjusted_value", "unit") }}
            || ' lies beyond the '
            || verdict_level
            || '% funnel limits around its mean of '
            || {{ in_words("comparator_value", "unit") }}
        when value is null
        then
            'Whatever the figures that are missing, the value is worse than '
            || {{ in_words("comparator_value", "unit") }}
        else
            {{ in_words("value", "unit") }}
            || ' beside '
            || {{ in_words("comparator_value", "unit") }}
            || ': beyond '
            || verdict_level
            || '% limits that allow for how much organisations differ'
    end
{%- endmacro %}
