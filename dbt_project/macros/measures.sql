{# An aggregate: a sum of numbers that may have fractions, the same in whatever order they come. They are added as whole
   thousand-millionths; a whole number up to 4.6 thousand million stays exact. #}
{% macro exact_sum(x) -%} (sum(round(({{ x }}) * 1e9)::decimal(38, 0))::double / 1e9) {%- endmacro %}

{# The events that a rate may be made of: none of fewer than three deaths, as the Office for National Statistics does.
   Needs `indicator.statistic` and `indicator.is_death` in scope. #}
{% macro countable_events(numerator) -%}
    case when not (indicator.is_death and indicator.statistic = 'rate' and {{ numerator }} < 3) then {{ numerator }} end
{%- endmacro %}

{# Aggregates of a column of values: the least, the quartiles and the greatest. #}
{% macro spread(value) %}
    min({{ value }}) as lowest,
    {{ quantile(value, 0.25) }} as lower_quartile,
    {{ quantile(value, 0.75) }} as upper_quartile,
    max({{ value }}) as highest
{% endmacro %}

{# A limit of the interval of a rate or proportion; null where the indicator is neither. #}
{% macro counted_limit(numerator, denominator, indicator, side, level) %}
    case
        {{ indicator }}.statistic
        when 'rate'
        then {{ rate_limit(numerator, denominator, indicator ~ ".multiplier", side, level) }}
        when 'proportion'
        then {{ wilson_limit(numerator, denominator, indicator ~ ".multiplier", side, level) }}
    end
{% endmacro %}

{# Value, interval and method from counts, by the indicator's statistic: `rate` exact Poisson or Byar, `proportion`
   Wilson. `indicator` has its statistic and multiplier. Null where there are no counts. The arguments are columns. #}
{% macro measure_columns(numerator, denominator, indicator) %}
    case
        when {{ indicator }}.statistic = 'count'
        then {{ numerator }}
        when {{ denominator }} > 0
        then {{ numerator }} / {{ denominator }} * {{ indicator }}.multiplier
    end as counted_value,
    case
        when {{ indicator }}.statistic = 'rate'
        then {{ rate_method(numerator) }}
        when {{ indicator }}.statistic = 'proportion' and {{ denominator }} >= {{ numerator }}
        then 'Wilson'
    end as counted_method,
    {% for level, suffix in [(95, "95"), (99.8, "998")] %}
        {% for side in ["lower", "upper"] %}
            {{ counted_limit(numerator, denominator, indicator, side, level) }}
            as counted_{{ side }}_{{ suffix }}{{ "," if not (loop.last and suffix == "998") }}
        {% endfor %}
    {% endfor %}
{% endmacro %}

{# What ships of them: ours where counts are given, else the publisher's; where the denominator is withheld the value
   as printed and an interval rounded outwards to one decimal, from which the denominator cannot be worked back. #}
{% macro shipped_measures() %}
    case
        when is_suppressed
        then null
        -- nobody at risk: no rate, whatever is printed
        when denominator = 0
        then null
        when is_denominator_withheld
        then coalesce(publisher_value, round(counted_value, 2))
        else coalesce(counted_value, publisher_value)
    end as value,
    {% for suffix in ["95", "998"] %}
        case
            when is_suppressed
            then null
            when is_denominator_withheld
            then floor(counted_lower_{{ suffix }} * 10) / 10
            when counted_value is null
            then publisher_lower_{{ suffix }}
            else counted_lower_{{ suffix }}
        end as lower_{{ suffix }},
        case
            when is_suppressed
            then null
            when is_denominator_withheld
            then ceil(counted_upper_{{ suffix }} * 10) / 10
            when counted_value is null
            then publisher_upper_{{ suffix }}
            else counted_upper_{{ suffix }}
        end as upper_{{ suffix }},
    {% endfor %}
    case
        when is_suppressed
        then null
        when counted_value is not null
        then counted_method
        when publisher_value is not null and coalesce(denominator, 1) > 0
        then 'published'
    end as method
{% endmacro %}
