{# Values of the Maternity Services Data Set are numbers or words ("*", "Low DQ"): the one and the other of a text. #}
{% macro msds_number(value) -%} try_cast({{ value }} as double) {%- endmacro %}

{% macro msds_word(value) -%} case when {{ msds_number(value) }} is null then trim({{ value }}) end {%- endmacro %}

{# An organisation's code in one spelling (capitals, no spaces); one without a code goes by its name. #}
{% macro msds_code(code, name) -%}
    coalesce(nullif(upper({{ replace_matches(code, "'\\s+'", "''") }}), ''), trim({{ name }}))
{%- endmacro %}

{# A spreadsheet takes "7-10" for a date and shows "07-Oct". #}
{% macro is_category_a_date(category) -%}
    {{ matches_whole("trim(" ~ category ~ ")", "'[0-9]{1,2}-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)'") }}
{%- endmacro %}

{# The category as the publisher writes it today: "7 to 10", for "7-10" of other years and for what a spreadsheet made. #}
{% macro msds_category(category) -%}
    case
        when {{ is_category_a_date(category) }}
        then
            try_cast(split_part(trim({{ category }}), '-', 1) as integer)
            || ' to '
            || {{ month_number("right(trim(" ~ category ~ "), 3)") }}
        else {{ replace_matches("trim(" ~ category ~ ")", "'^([0-9]+) ?- ?([0-9]+)$'", "'\\1 to \\2'") }}
    end
{%- endmacro %}

{# Usage warnings of an observation: every count of this publisher is rounded. #}
{% macro msds_warnings(is_date_repaired, rolling_months, is_category_repaired="false") -%}
    {{
        warnings(
            {
                "rounded": "true",
                "date_repaired": is_date_repaired,
                "category_repaired": is_category_repaired,
                "rolling_window": rolling_months ~ " > 1",
            }
        )
    }}
{%- endmacro %}

{# Whose code it is: ONS codes are a letter and eight digits, all others ODS. #}
{% macro msds_scheme(code) -%} if({{ matches_whole(code, "'[A-Z][0-9]{8}'") }}, 'ons', 'ods') {%- endmacro %}

{# A bracketed query: level, published code and country of the places of a relation whose code says that they lie beyond
   England. Each code is held against the patterns once, not each row. #}
{% macro countries_by_code(relation) -%}
    (
        select place.level, place.published_code, country.country
        from (select distinct level, published_code from {{ relation }}) as place
        inner join
            {{ ref("country_of_code") }} as country
            on place.level = country.level
            and {{ matches_whole("place.published_code", "country.code_pattern") }}
    )
{%- endmacro %}
