{# Values of the Maternity Services Data Set are numbers or words ("*", "Low DQ"): the one and the other of a text. #}
{% macro msds_number(value) -%} try_cast(replace(trim({{ value }}), ',', '') as double) {%- endmacro %}

{% macro msds_word(value) -%} case when {{ msds_number(value) }} is null then trim({{ value }}) end {%- endmacro %}

{# A spreadsheet takes "7-10" for a date and shows "07-Oct". #}
{% macro is_category_a_date(category) -%}
    regexp_full_match(trim({{ category }}), '\d{1,2}-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)')
{%- endmacro %}

{# The category as the publisher writes it today: "7 to 10", for "7-10" of other years and for what a spreadsheet made. #}
{% macro msds_category(category) -%}
    case
        when {{ is_category_a_date(category) }}
        then
            try_cast(split_part(trim({{ category }}), '-', 1) as integer)
            || ' to '
            || {{ month_number("right(trim(" ~ category ~ "), 3)") }}
        else regexp_replace(trim({{ category }}), '^(\d+) ?- ?(\d+)$', '\1 to \2')
    end
{%- endmacro %}

{# Usage warnings of an observation: every count of this publisher is rounded. #}
{% macro msds_warnings(is_date_repaired, rolling_months, is_category_repaired="false") -%}
    list_filter(
        [
            'rounded',
            case when {{ is_date_repaired }} then 'date_repaired' end,
            case when {{ is_category_repaired }} then 'category_repaired' end,
            case when {{ rolling_months }} > 1 then 'rolling_window' end
        ],
        lambda warning:warning is not null
    )
{%- endmacro %}

{# Whose code it is: ONS codes are a letter and eight digits, all others ODS. #}
{% macro msds_scheme(code) -%} if(regexp_full_match({{ code }}, '[A-Z]\d{8}'), 'ons', 'ods') {%- endmacro %}
