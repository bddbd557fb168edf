{#-
  Slope and relative index of inequality over ordered groups (deprivation quintiles or deciles), as
  PHEindicatormethods' phe_sii computes them. Intervals are simulated outside SQL: warehouse/statistics/simulation.py.
-#}
{#-
  The indices of every group of quantiles, over `relation` (a name, a ref or a bracketed query): every column of the
  relation plus
    inequality_share (of the group's population), inequality_rank (relative rank, 0 to 1: the middle of the quantile in
    the cumulated population), sii (slope of the value on the rank, weighted by population: the difference between
    rank 1 and rank 0), rii (the ratio of the line's values at rank 1 and rank 0).
  `groups` lists the columns that name a group; `quantile` orders it (1 the most deprived); null where a population or a
  value of the group is missing.
-#}
{% macro slope_index(relation, groups, quantile, population, value) -%}
    {%- set whole = "over (" ~ partition_clause(groups) ~ ")" -%}
    {%- set people = "(" ~ population ~ ")::double" -%}
    (
        with
            sized as (
                select
                    *,
                    {{ compensated("sum", people) }} {{ whole }} as sii_people,
                    {{ compensated("sum", people) }} over (
                        {{ partition_clause(groups) }}
                        order by {{ quantile }}
                        rows between unbounded preceding and current row
                    ) as sii_people_so_far,
                    bool_and({{ population }} > 0 and {{ value }} is not null) {{ whole }}
                    and count(*) {{ whole }} = count({{ population }}) {{ whole }} as sii_known
                from {{ relation }}
            ),
            ranked as (
                select
                    *,
                    case when sii_known then {{ people }} / sii_people end as inequality_share,
                    case when sii_known then (sii_people_so_far - {{ people }} / 2) / sii_people end as inequality_rank
                from sized
            ),
            centred as (
                select *, {{ compensated("sum", "inequality_share * (" ~ value ~ ")") }} {{ whole }} as sii_mean
                from ranked
            ),
            {# the population's mean rank is one half #}
            sloped as (
                select
                    *,
                    {{
                        compensated(
                            "sum", "inequality_share * (inequality_rank - 0.5e0) * ((" ~ value ~ ") - sii_mean)"
                        )
                    }} {{ whole }} / nullif(
                        {{ compensated("sum", "inequality_share * pow(inequality_rank - 0.5e0, 2)") }} {{ whole }}, 0
                    ) as sii
                from centred
            )
        select
            * exclude (sii_people, sii_people_so_far, sii_known, sii_mean),
            (sii_mean + sii / 2) / nullif(sii_mean - sii / 2, 0) as rii
        from sloped
    )
{%- endmacro %}

{#- A value on the scale on which its error is symmetric: the logarithm of a 'rate', the logit of a 'proportion'. -#}
{% macro on_error_scale(value, kind) -%}
    case
        {{ kind }}
        when 'rate'
        then case when {{ value }} > 0 then ln({{ value }}) end
        when 'proportion'
        then case when {{ value }} > 0 and {{ value }} < 1 then ln({{ value }} / (1 - {{ value }})) end
        else {{ value }}
    end
{%- endmacro %}

{#- The standard error of a value on that scale, from its 95% interval. -#}
{% macro error_of_interval(lower, upper, kind) -%}
    (({{ on_error_scale(upper, kind) }} - {{ on_error_scale(lower, kind) }}) / (2 * {{ z_value(95) }}))
{%- endmacro %}
