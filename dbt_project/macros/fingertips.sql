{#-
  What Fingertips writes in words, as dates and bounds. The shapes of periods are those of the publisher's own formatter:
  2019 · 2022/23 · 2015 - 17 · 2016/17 - 20/21 · 2015 Q1 · 2015/16 Q1 · 2006/07 Q1-Q3 · 2006/07 Q2 - 2007/08 Q1 ·
  Apr 2020 · Aug 2006 - Jul 2007. Arguments are SQL expressions. The macros use no dbt context.
-#}
{%- macro month_number(word) -%}
    list_position(['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'], {{ word }})
{%- endmacro -%}

{#- A label with single spaces and plain hyphens. -#}
{%- macro plain_period(label) -%} trim(regexp_replace(replace({{ label }}, '–', '-'), '\s+', ' ', 'g')) {%- endmacro -%}

{#- Whether a label is of a known shape; the second year of a slash must follow the first. -#}
{%- macro is_period(label) -%}
    (
        regexp_full_match(
            {{ label }},
            '[0-9]{4}( ?- ?([0-9]{2}|[0-9]{4}))?'
            || '|[0-9]{4}/[0-9]{2}( ?- ?([0-9]{2}|[0-9]{4})/[0-9]{2})?'
            || '|[0-9]{4}(/[0-9]{2})? Q[1-4](-Q[1-4])?'
            || '|[0-9]{4} Q[1-4] ?- ?[0-9]{4} Q[1-4]|[0-9]{4}/[0-9]{2} Q[1-4] ?- ?[0-9]{4}/[0-9]{2} Q[1-4]'
            || '|(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4}'
            || '( ?- ?(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4})?'
        )
        and list_bool_and(
            list_transform(
                regexp_extract_all({{ label }}, '([0-9]{2})/[0-9]{2}', 1),
                lambda year,
                place: (year::integer + 1) % 100 = regexp_extract_all({{ label }}, '/([0-9]{2})', 1)[place]::integer
            )
        )
        is distinct from false
    )
{%- endmacro -%}

{#- The first and the last part of a label; the last one's years written in full. -#}
{%- macro first_part(label) -%}
    coalesce(nullif(regexp_extract({{ label }}, '^(.*?) ?- ?[^Q ].*$', 1), ''), {{ label }})
{%- endmacro -%}
{%- macro last_part(label) -%}
    case
        when regexp_extract({{ label }}, '^.*? ?- ?([^Q ].*)$', 1) = ''
        then {{ label }}
        when regexp_matches({{ label }}, '- ?[0-9]{2}(/[0-9]{2})?$')
        then
            -- the century is the first year's, or the next one
            (
                {{ label }} [1:2]::integer
                + (regexp_extract({{ label }}, '- ?([0-9]{2})', 1) < {{ label }} [3:4])::integer
            )
            || regexp_extract({{ label }}, '- ?([^Q ].*)$', 1)
        else regexp_extract({{ label }}, '^.*? ?- ?([^Q ].*)$', 1)
    end
{%- endmacro -%}

{#-
  First and last day of one part. `slash_month` is the month in which years like 2022/23 begin, `plain_month` that of
  years like 2019, by the indicator's type of year.
-#}
{%- macro part_year(part) -%} regexp_extract({{ part }}, '([0-9]{4})', 1)::integer {%- endmacro -%}
{%- macro part_january(part, slash_month, plain_month) -%}
    make_date({{ part_year(part) }}, if(contains({{ part }}, '/'), {{ slash_month }}, {{ plain_month }})::integer, 1)
{%- endmacro -%}
{%- macro part_start(part, slash_month, plain_month) -%}
    case
        when regexp_matches({{ part }}, '^[A-Z]')
        then make_date({{ part_year(part) }}, {{ month_number(part ~ "[1:3]") }}::integer, 1)
        else
            (
                {{ part_january(part, slash_month, plain_month) }}
                + to_months(3 * (coalesce(nullif(regexp_extract({{ part }}, 'Q([1-4])', 1), ''), '1')::integer - 1))
            )::date
    end
{%- endmacro -%}
{%- macro part_end(part, slash_month, plain_month) -%}
    case
        when regexp_matches({{ part }}, '^[A-Z]')
        then last_day(make_date({{ part_year(part) }}, {{ month_number(part ~ "[1:3]") }}::integer, 1))
        else
            (
                {{ part_january(part, slash_month, plain_month) }}
                + to_months(3 * coalesce(nullif(regexp_extract({{ part }}, 'Q([1-4])$', 1), ''), '4')::integer)
            )::date
            - 1
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
    make_date({{ part_year(last_part(label)) }} + contains({{ label }}, '/')::integer, 3, 31)
{%- endmacro -%}

{#- Lower and upper bound of an age band in years; null where the words give none. -#}
{%- macro age_unit(age) -%}
    case
        when regexp_matches(lower({{ age }}), 'week')
        then 7 / 365.25
        when regexp_matches(lower({{ age }}), 'month')
        then 1 / 12.0
        when regexp_matches(lower({{ age }}), 'day')
        then 1 / 365.25
        else 1.0
    end
{%- endmacro -%}
{%- macro age_from(age) -%}
    case
        when lower({{ age }}) = 'all ages' or regexp_matches({{ age }}, '^<')
        then 0.0
        else try_cast(regexp_extract({{ age }}, '^[>=]*([0-9]+)', 1) as double) * {{ age_unit(age) }}
    end
{%- endmacro -%}
{%- macro age_to(age) -%}
    case
        when lower({{ age }}) = 'all ages' or regexp_matches({{ age }}, '^([0-9]+\+|>)')
        then 1000.0
        when regexp_matches({{ age }}, '^<')
        then try_cast(regexp_extract({{ age }}, '^<=?([0-9]+)', 1) as double) * {{ age_unit(age) }}
        else (try_cast(regexp_extract({{ age }}, '^(?:[0-9]+ ?- ?)?([0-9]+)', 1) as double) + 1) * {{ age_unit(age) }}
    end
{%- endmacro -%}
