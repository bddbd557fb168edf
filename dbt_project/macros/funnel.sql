{#-
  Funnel comparison of organisations against one baseline (PHEindicatormethods phe_funnels and
  phe_funnel_significance; over-dispersion after Spiegelhalter 2005 as in FunnelPlotR).

  `statistic` is the text 'proportion' or 'rate'; `p` is the baseline as a fraction (not yet multiplied).
-#}
{#-
  One control limit at denominator n, x multiplier. Proportion: p -+ z sqrt(p (1 - p) / n), capped to [0, 1]
  before the multiplier. Rate: the exact Poisson interval of the expected events p x n, over n.
-#}
{% macro funnel_limit(p, n, multiplier, side, level, statistic="proportion") -%}
    {%- set sign = "-" if side == "lower" else "+" -%}
    {%- if statistic == "proportion" -%}
        case
            when {{ p }} between 0 and 1 and {{ n }} > 0
            then
                greatest(
                    0, least(1, {{ p }} {{ sign }} {{ z_value(level) }} * sqrt({{ p }} * (1 - {{ p }}) / ({{ n }})))
                )
                * {{ multiplier }}
        end
    {%- else -%}
        case
            when {{ p }} >= 0 and {{ n }} > 0
            then {{ exact_poisson_limit("(" ~ p ~ " * " ~ n ~ ")", side, level) }} / ({{ n }}) * {{ multiplier }}
        end
    {%- endif -%}
{%- endmacro %}

{#-
  The control limit of a rate at a number of observed events, as phe_funnels gives it: the rate at which just
  so many events would leave the funnel, events x baseline / the other end of their exact interval.
-#}
{% macro funnel_events_limit(p, events, multiplier, side, level) -%}
    case
        when {{ p }} >= 0 and {{ events }} > 0
        then
            ({{ events }})
            * {{ p }}
            / {{ exact_poisson_limit(events, "upper" if side == "lower" else "lower", level) }}
            * {{ multiplier }}
    end
{%- endmacro %}

{#- One end of a point's own interval as a fraction, by the statistic. -#}
{% macro own_limit(x, n, side, level, statistic) -%}
    {%- if statistic == "proportion" -%} {{ wilson_limit(x, n, 1, side, level) }}
    {%- else -%} {{ rate_limit(x, n, 1, side, level) }}
    {%- endif -%}
{%- endmacro %}

{#-
  The label of a point, asked of its own interval against the baseline p at two levels: 'High (0.001)',
  'High (0.025)', 'Not significant', 'Low (0.025)', 'Low (0.001)'.
-#}
{% macro funnel_significance(x, n, p, statistic="proportion") -%}
    case
        when {{ p }} is null or {{ own_limit(x, n, "lower", 95, statistic) }} is null
        then null
        when {{ own_limit(x, n, "upper", 99.8, statistic) }} < {{ p }}
        then 'Low (0.001)'
        when {{ own_limit(x, n, "lower", 99.8, statistic) }} > {{ p }}
        then 'High (0.001)'
        when {{ own_limit(x, n, "upper", 95, statistic) }} < {{ p }}
        then 'Low (0.025)'
        when {{ own_limit(x, n, "lower", 95, statistic) }} > {{ p }}
        then 'High (0.025)'
        else 'Not significant'
    end
{%- endmacro %}

{#-
  How an interval lies to a comparator: 'similar' when it holds it, else 'better' or 'worse' by the polarity
  ('low' is good, 'high' is good), 'higher' or 'lower' without one.
-#}
{% macro comparison(lower, upper, comparator, polarity) -%}
    case
        when {{ lower }} > {{ comparator }}
        then case {{ polarity }} when 'low' then 'worse' when 'high' then 'better' else 'higher' end
        when {{ upper }} < {{ comparator }}
        then case {{ polarity }} when 'low' then 'better' when 'high' then 'worse' else 'lower' end
        when {{ lower }} <= {{ comparator }} and {{ upper }} >= {{ comparator }}
        then 'similar'
    end
{%- endmacro %}

{#- The scale on which over-dispersion is measured unless another is asked for. -#}
{% macro over_dispersion_scale(statistic) -%}
    {{ "arcsine" if statistic == "proportion" else "square root" }}
{%- endmacro %}

{#-
  A fraction on a scale: 'arcsine' (of the root; proportions), 'square root' (rates, standardised ratios), 'log' (ratios
  of counts, as FunnelPlotR's RC).
-#}
{% macro on_scale(fraction, scale) -%}
    {%- if scale == "arcsine" -%} asin(sqrt(least(1, {{ fraction }})))
    {%- elif scale == "log" -%} case when {{ fraction }} > 0 then ln({{ fraction }}) end
    {%- else -%} sqrt({{ fraction }})
    {%- endif -%}
{%- endmacro %}

{#- x / n on a scale; half an event is added to both on the 'log' scale, where 0 has no value. -#}
{% macro point_on_scale(x, n, scale) -%}
    {%- if scale == "log" -%} ln(({{ x }} + 0.5e0) / ({{ n }} + 0.5e0))
    {%- else -%} {{ on_scale(x ~ " / " ~ n, scale) }}
    {%- endif -%}
{%- endmacro %}

{#- One over the sampling variance of that point. -#}
{% macro precision_on_scale(x, n, scale) -%}
    {%- if scale == "log" -%} (1 / ({{ x }} / pow({{ x }} + 0.5e0, 2) + {{ n }} / pow({{ n }} + 0.5e0, 2)))
    {%- else -%} (4 * {{ n }})
    {%- endif -%}
{%- endmacro %}

{#-
  A limit on that scale where `over_dispersed` is true, -+ z sqrt(1 / 4n + tau2) around the baseline, brought
  back and multiplied. On the 'log' scale this is FunnelPlotR's formula, too narrow where events are rare: there the
  limit without over-dispersion is the least width.
-#}
{% macro over_dispersed_limit(p, n, tau2, multiplier, side, level, statistic, scale=none) -%}
    {%- set scale = scale or over_dispersion_scale(statistic) -%}
    {%- set sign = "-" if side == "lower" else "+" -%}
    {%- set reach -%}
        {{ on_scale(p, scale) }}
        {{ sign }} {{ z_value(level) }} * sqrt(1 / (4 * ({{ n }})::double) + {{ tau2 }})
    {%- endset -%}
    case
        when over_dispersed and {{ n }} > 0
        then
            {% if scale == "arcsine" -%} pow(sin(greatest(0, least(pi() / 2, {{ reach }}))), 2) * {{ multiplier }}
            {%- elif scale == "log" -%}
                {{ "least" if side == "lower" else "greatest" }} (
                    exp({{ reach }}) * {{ multiplier }}, {{ funnel_limit(p, n, multiplier, side, level, statistic) }}
                )
            {%- else -%} pow(greatest(0, {{ reach }}), 2) * {{ multiplier }}
            {%- endif %}
    end
{%- endmacro %}

{#-
  The whole funnel as a query over `relation` (a name, a ref or a bracketed query): every column of the
  relation plus
    funnel_baseline, lower_2s_limit, upper_2s_limit, lower_3s_limit, upper_3s_limit (x multiplier),
    significance (own interval against the baseline), phi, tau2 (Spiegelhalter, z-scores winsorised at 10%
    each end), over_dispersed, limits_used ('binomial', 'poisson', 'over-dispersed (arcsine)',
    'over-dispersed (square root)', 'over-dispersed (log)'), od_lower_2s_limit, od_upper_2s_limit, od_lower_3s_limit,
    od_upper_3s_limit, od_significance.
  `partition_by` lists the columns that name one funnel (indicator, period); `baseline` is an expression (a
  fraction) or none for sum(x) / sum(n) of the partition; `scale` is that of the over-dispersion (`on_scale`). Over-dispersion is claimed from ten organisations
  on, where phi exceeds 1 + 2 sqrt(2 / N) and tau2 > 0. Rows with null, impossible or masked counts take no
  part and get nulls.
-#}
{% macro funnel(relation, x, n, partition_by=[], statistic="proportion", multiplier=100, baseline=none, scale=none) -%}
    {%- set over_funnel = "over (" ~ partition_clause(partition_by) ~ ")" -%}
    {%- set valid = x ~ " >= 0 and " ~ n ~ " > 0" ~ (" and " ~ x ~ " <= " ~ n if statistic == "proportion" else "") -%}
    {%- set p = "funnel_p" -%}
    {%- set sides = [
        ("lower", 95, "lower_2s_limit"),
        ("upper", 95, "upper_2s_limit"),
        ("lower", 99.8, "lower_3s_limit"),
        ("upper", 99.8, "upper_3s_limit"),
    ] -%}
    {%- set scale = scale or over_dispersion_scale(statistic) -%}
    {%- set model = "binomial" if statistic == "proportion" else "poisson" -%}
    (
        with
            counted as (
                select
                    *,
                    case when {{ valid }} then ({{ x }})::double end as funnel_x,
                    case when {{ valid }} then ({{ n }})::double end as funnel_n
                from {{ relation }}
            ),
            based as (
                select
                    *,
                    {% if baseline is none -%}
                        {{ compensated("sum", "funnel_x") }} {{ over_funnel }}
                        / {{ compensated("sum", "funnel_n") }} {{ over_funnel }}
                    {%- else -%} {{ baseline }}
                    {%- endif %} as funnel_p
                from counted
            ),
            scored as (
                select
                    *,
                    {{ precision_on_scale("funnel_x", "funnel_n", scale) }} as funnel_precision,
                    ({{ point_on_scale("funnel_x", "funnel_n", scale) }} - {{ on_scale(p, scale) }})
                    * sqrt(funnel_precision) as funnel_z
                from based
            ),
            trimmed as (
                select
                    *,
                    {{ quantile("funnel_z", 0.1) }} {{ over_funnel }} as funnel_z_low,
                    {{ quantile("funnel_z", 0.9) }} {{ over_funnel }} as funnel_z_high
                from scored
            ),
            dispersed as (
                select
                    *,
                    count(funnel_z) {{ over_funnel }} as funnel_size,
                    avg(
                        case
                            when funnel_z is not null
                            then pow(greatest(funnel_z_low, least(funnel_z_high, funnel_z)), 2)
                        end
                    ) {{ over_funnel }} as phi,
                    {{ compensated("sum", "funnel_precision") }} {{ over_funnel }} as funnel_weight,
                    {{ compensated("sum", "pow(funnel_precision, 2)") }} {{ over_funnel }} as funnel_weight_squared
                from trimmed
            ),
            excess as (
                select
                    *,
                    case
                        when funnel_size > 1
                        then
                            greatest(
                                0,
                                (funnel_size * phi - (funnel_size - 1))
                                / (funnel_weight - funnel_weight_squared / funnel_weight)
                            )
                    end as tau2
                from dispersed
            ),
            decided as (
                select
                    *,
                    coalesce(
                        funnel_size >= 10 and tau2 > 0 and phi > 1 + 2 * sqrt(2 / funnel_size::double), false
                    ) as over_dispersed
                from excess
            ),
            limited as (
                select
                    *,
                    {{ p }} * {{ multiplier }} as funnel_baseline,
                    {% for side, level, name in sides %}
                        {{ funnel_limit(p, "funnel_n", multiplier, side, level, statistic) }} as {{ name }},
                        {{ over_dispersed_limit(p, "funnel_n", "tau2", multiplier, side, level, statistic, scale) }}
                        as od_{{ name }},
                    {% endfor %}
                    {{ funnel_significance("funnel_x", "funnel_n", p, statistic) }} as significance,
                    {{ rate_value("funnel_x", "funnel_n", multiplier) }} as funnel_value,
                    case when over_dispersed then 'over-dispersed ({{ scale }})' else '{{ model }}' end as limits_used
                from decided
            )
        select
            * exclude (
                funnel_x,
                funnel_n,
                funnel_p,
                funnel_precision,
                funnel_z,
                funnel_z_low,
                funnel_z_high,
                funnel_size,
                funnel_weight,
                funnel_weight_squared,
                funnel_value
            ),
            case
                when funnel_value < od_lower_3s_limit
                then 'Low (0.001)'
                when funnel_value > od_upper_3s_limit
                then 'High (0.001)'
                when funnel_value < od_lower_2s_limit
                then 'Low (0.025)'
                when funnel_value > od_upper_2s_limit
                then 'High (0.025)'
                when funnel_value is not null and over_dispersed
                then 'Not significant'
            end as od_significance
        from limited
    )
{%- endmacro %}
