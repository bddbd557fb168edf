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

{# Years after the end of its period from which a national figure is stale. #}
{% macro ambition_stale_years() -%} 3 {%- endmacro %}

{# A number in words of a sentence: at most two decimals. #}
{% macro ambition_figure(value) -%} round({{ value }}, 2)::varchar {%- endmacro %}

{# What has happened since the baseline of the same definition, where the figure stands beside the trajectory or the goal,
   and that it is stale; of a relation with the columns of marts.national_ambition. #}
{% macro ambition_position(figure) -%}
    {%- set now = ambition_figure(figure ~ ".actual") ~ " || ' in ' || " ~ figure ~ ".period" -%}
    {%- set then = ambition_figure(figure ~ ".baseline_value") ~ " || ' in ' || " ~ figure ~ ".baseline" -%}
    case
        when {{ figure }}.baseline is null
        then {{ now }} || '; no baseline of the same definition'
        when {{ figure }}.baseline = {{ figure }}.period
        then {{ now }} || ', the baseline'
        when {{ figure }}.change_since_baseline > 0
        then 'higher than in ' || {{ figure }}.baseline || ': ' || {{ now }} || ', ' || {{ then }}
        when {{ figure }}.change_since_baseline = 0
        then 'no reduction since ' || {{ figure }}.baseline || ': ' || {{ now }} || ', ' || {{ then }}
        else 'down to ' || {{ now }} || ' from ' || {{ then }}
    end || case
        when {{ figure }}.gap <= 0
        then '; on the trajectory (' || {{ ambition_figure(figure ~ ".target") }} || ')'
        when {{ figure }}.gap > 0
        then '; above the trajectory (' || {{ ambition_figure(figure ~ ".target") }} || ')'
        when {{ figure }}.goal is not null
        then '; the goal by 2025 is ' || {{ ambition_figure(figure ~ ".goal") }}
        else ''
    end
    || case
        when {{ figure }}.age_years > {{ ambition_stale_years() }}
        then '; stale: the period ended ' || floor({{ figure }}.age_years)::integer || ' years ago'
        else ''
    end
{%- endmacro %}
