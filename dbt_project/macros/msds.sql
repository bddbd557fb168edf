{# Values of the Maternity Services Data Set are numbers or words ("*", "Low DQ"): the one and the other of a text. #}
{% macro msds_number(value) -%} try_cast(replace(trim({{ value }}), ',', '') as double) {%- endmacro %}

{% macro msds_word(value) -%} case when {{ msds_number(value) }} is null then trim({{ value }}) end {%- endmacro %}

{# Usage warnings of an observation: every count of this publisher is rounded. #}
{% macro msds_warnings(is_date_repaired, rolling_months) -%}
    list_filter(
        [
            'rounded',
            case when {{ is_date_repaired }} then 'date_repaired' end,
            case when {{ rolling_months }} > 1 then 'rolling_window' end
        ],
        lambda warning:warning is not null
    )
{%- endmacro %}

{# Whose code it is: ONS codes are a letter and eight digits, all others ODS. #}
{% macro msds_scheme(code) -%} if(regexp_full_match({{ code }}, '[A-Z]\d{8}'), 'ons', 'ods') {%- endmacro %}
