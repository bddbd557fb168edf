{# Years since a trajectory stood at `value` in `year`, within one segment `knot` (knot_year, knot_target, next_year,
   next_target); below 0 is ahead. #}
{% macro years_behind(year, value, knot) -%}
    round(
        {{ year }} - (
            {{ knot }}.knot_year
            + ({{ knot }}.knot_target - {{ value }})
            / ({{ knot }}.knot_target - {{ knot }}.next_target)
            * ({{ knot }}.next_year - {{ knot }}.knot_year)
        ),
        2
    )
{%- endmacro %}

{# What a unit multiplies a share by: 100 for %, else the digits in it (per 1,000 total births → 1000). #}
{% macro unit_multiplier(unit) -%}
    case when {{ unit }} = '%' then 100 else {{ first_match("replace(" ~ unit ~ ", ',', '')", "'[0-9]+'") }}::double end
{%- endmacro %}
