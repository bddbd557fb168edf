{# The named columns together occur once. #}
{% test unique_grain(model, columns) %}
    select {{ columns | join(", ") }}, count(*) as times from {{ model }} group by all having count(*) > 1
{% endtest %}

{# Limits do not cross, and hold the value that they were made from. #}
{% test interval_in_order(model) %}
    select *
    from {{ model }}
    where
        lower_95 > upper_95
        or lower_998 > upper_998
        or (
            method <> 'published'
            and (value < lower_95 - 1e-9 or value > upper_95 + 1e-9 or lower_998 > lower_95 + 1e-9)
        )
{% endtest %}

{# A masked cell has no number anywhere, denominator and publisher's value included. #}
{% test masked_cells_are_empty(model) %}
    select *
    from {{ model }}
    where
        is_suppressed
        and coalesce(numerator, denominator, value, publisher_value, lower_95, upper_95, lower_998, upper_998)
        is not null
{% endtest %}
