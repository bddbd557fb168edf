{#-
  What Fingertips writes in words, as dates and bounds. The shapes of periods are those of the publisher's own formatter:
  2019 · 2022/23 · 2015 - 17 · 2016/17 - 20/21 · 2015 Q1 · 2015/16 Q1 · 2006/07 Q1-Q3 · 2006/07 Q2 - 2007/08 Q1 ·
  Apr 2020 · Aug 2006 - Jul 2007. Arguments are SQL expressions. The macros use no dbt context.
-#}
{%- macro month_number(word) -%}
    {%- set months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] -%}
    case {{ word }} {% for month in months %} when '{{ month }}' then {{ loop.index }} {% endfor %} end
{%- endmacro -%}

{#- A label with single spaces and plain hyphens. -#}
{%- macro plain_period(label) -%}
    trim({{ replace_matches("replace(" ~ label ~ ", '–', '-')", "'\\s+'", "' '") }})
{%- endmacro -%}

{#- Whether the two years of a slash follow each other, if there is one; `before` is a pattern up to the slash. -#}
{%- macro slash_years_follow(label, before) -%}
    coalesce(
        ({{ first_match(label, "'" ~ before ~ "([0-9]{2})/[0-9]{2}'", 1) }}::integer + 1) % 100
        = {{ first_match(label, "'" ~ before ~ "[0-9]{2}/([0-9]{2})'", 1) }}::integer,
        true
    )
{%- endmacro -%}

{#- Whether a label is of a known shape; the second year of a slash must follow the first. -#}
{%- macro is_period(label) -%}
    {%- set month = "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4}" -%}
    {%- set shapes = [
        "[0-9]{4}( ?- ?([0-9]{2}|[0-9]{4}))?",
        "[0-9]{4}/[0-9]{2}( ?- ?([0-9]{2}|[0-9]{4})/[0-9]{2})?",
        "[0-9]{4}(/[0-9]{2})? Q[1-4](-Q[1-4])?",
        "[0-9]{4} Q[1-4] ?- ?[0-9]{4} Q[1-4]",
        "[0-9]{4}/[0-9]{2} Q[1-4] ?- ?[0-9]{4}/[0-9]{2} Q[1-4]",
        month ~ "( ?- ?" ~ month ~ ")?",
    ] -%}
    (
        {{ matches_whole(label, "'" ~ shapes | join("|") ~ "'") }}
        and {{ slash_years_follow(label, "^.*?") }}
        and {{ slash_years_follow(label, "^.*") }}
    )
{%- endmacro -%}

{#- The first and the last part of a label; the last one's years written in full. -#}
{%- macro first_part(label) -%}
    coalesce({{ first_match(label, "'^(.*?) ?- ?[^Q ].*$'", 1) }}, {{ label }})
{%- endmacro -%}
{%- macro last_part(label) -%}
    case
        when {{ first_match(label, "'^.*? ?- ?([^Q ].*)$'", 1) }} is null
        then {{ label }}
        when {{ matches(label, "'- ?[0-9]{2}(/[0-9]{2})?$'") }}
        then
            -- the century is the first year's, or the next one
            (
                left({{ label }}, 2)::integer
                + ({{ first_match(label, "'- ?([0-9]{2})'", 1) }} < substr({{ label }}, 3, 2))::integer
            )
            || {{ first_match(label, "'- ?([^Q ].*)$'", 1) }}
        else {{ first_match(label, "'^.*? ?- ?([^Q ].*)$'", 1) }}
    end
{%- endmacro -%}

{#-
  First and last day of one part. `slash_month` is the month in which years like 2022/23 begin, `plain_month` that of
  years like 2019, by the indicator's type of year.
-#}
{%- macro part_year(part) -%} {{ first_match(part, "'([0-9]{4})'", 1) }}::integer {%- endmacro -%}
{%- macro part_january(part, slash_month, plain_month) -%}
    {%- set month = "if(" ~ part ~ " like '%/%', " ~ slash_month ~ ", " ~ plain_month ~ ")::integer" -%}
    {{ date_of(part_year(part), month, 1) }}
{%- endmacro -%}
{%- macro part_month(part) -%}
    {{ date_of(part_year(part), month_number("left(" ~ part ~ ", 3)") ~ "::integer", 1) }}
{%- endmacro -%}
{%- macro part_start(part, slash_month, plain_month) -%}
    {%- set before = "(coalesce(" ~ first_match(part, "'Q([1-4])'", 1) ~ ", '1')::integer - 1)" -%}
    case
        when {{ matches(part, "'^[A-Z]'") }}
        then {{ part_month(part) }}
        else {{ months_later(part_january(part, slash_month, plain_month), "3 * " ~ before) }}
    end
{%- endmacro -%}
{%- macro part_end(part, slash_month, plain_month) -%}
    {%- set until = "coalesce(" ~ first_match(part, "'Q([1-4])$'", 1) ~ ", '4')::integer" -%}
    case
        when {{ matches(part, "'^[A-Z]'") }}
        then last_day({{ part_month(part) }})
        else {{ months_later(part_january(part, slash_month, plain_month), "3 * " ~ until) }} - 1
    end
{%- endmacro -%}

{#- First and last day of a period; null where it cannot be read. A point in time is 31 March of its year. -#}
{%- macro period_start_of(label, slash_month, plain_month, is_point) -%}
    case
        when not {{ is_period(label) }}
        then null
        when {{ is_point }}
        then {{ point_of(label) }}
        else {{ part_start(first_part(label), slash_month, plain_month) }}
    end
{%- endmacro -%}
{%- macro period_end_of(label, slash_month, plain_month, is_point) -%}
    case
        when not {{ is_period(label) }}
        then null
        when {{ is_point }}
        then {{ point_of(label) }}
        else {{ part_end(last_part(label), slash_month, plain_month) }}
    end
{%- endmacro -%}
{%- macro point_of(label) -%}
    {{ date_of(part_year(last_part(label)) ~ " + (" ~ label ~ " like '%/%')::integer", 3, 31) }}
{%- endmacro -%}

{#- Lower and upper bound of an age band in years; null where the words give none. -#}
{%- macro age_unit(age) -%}
    case
        when lower({{ age }}) like '%week%'
        then 7 / 365.25
        when lower({{ age }}) like '%month%'
        then 1 / 12.0
        when lower({{ age }}) like '%day%'
        then 1 / 365.25
        else 1.0
    end
{%- endmacro -%}
{%- macro age_from(age) -%}
    case
        when lower({{ age }}) = 'all ages' or {{ age }} like '<%'
        then 0.0
        else try_cast({{ first_match(age, "'^[>=]*([0-9]+)'", 1) }} as double) * {{ age_unit(age) }}
    end
{%- endmacro -%}
{%- macro age_to(age) -%}
    case
        when lower({{ age }}) = 'all ages' or {{ matches(age, "'^([0-9]+[+]|>)'") }}
        then 1000.0
        when {{ age }} like '<%'
        then try_cast({{ first_match(age, "'^<=?([0-9]+)'", 1) }} as double) * {{ age_unit(age) }}
        else (try_cast({{ first_match(age, "'^(?:[0-9]+ ?- ?)?([0-9]+)'", 1) }} as double) + 1) * {{ age_unit(age) }}
    end
{%- endmacro -%}
