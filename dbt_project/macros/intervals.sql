{#-
  Rates and proportions with their intervals, as UKHSA's PHEindicatormethods computes them (phe_rate,
  phe_proportion; Fingertips technical guidance).

  Every macro returns one SQL scalar expression. Arguments are SQL expressions (text) unless said otherwise;
  `level` is 95 or 99.8, `side` is 'lower' or 'upper'. Null in gives null out, and so do a denominator of 0
  or less, a negative count and (for a proportion) a count above its denominator: nothing is guessed here.
  The macros use no dbt context, so plain Jinja renders them too.
-#}
{#- The standard normal quantile of a two-sided level: 1 - (1 - level) / 2. -#}
{% macro z_value(level) -%} {{ {95: "1.959963984540054e0", 99.8: "3.090232306167813e0"}[level] }} {%- endmacro %}

{#- The probability that a two-sided level leaves in one tail. -#}
{% macro tail_probability(level) -%} {{ {95: "0.025e0", 99.8: "0.001e0"}[level] }} {%- endmacro %}

{#-
  The end of the interval of a Poisson count of 0 to 9 events: chi-square(tail; 2x) / 2 and
  chi-square(1 - tail; 2x + 2) / 2, x = 0 ... 9 in order (tests recompute them with scipy).
-#}
{% macro exact_poisson_table(x, side, level) -%}
    {%- set limits = {
        ("lower", 95): [
            "0e0",
            "0.025317807984289876e0",
            "0.24220927854396496e0",
            "0.6186721228956014e0",
            "1.0898653736263249e0",
            "1.6234863901184207e0",
            "2.2018942534908508e0",
            "2.8143630515198654e0",
            "3.4538321767485014e0",
            "4.115373097378334e0",
        ],
        ("upper", 95): [
            "3.6888794541139363e0",
            "5.571643390938898e0",
            "7.224687667723961e0",
            "8.767273069742325e0",
            "10.241588675403696e0",
            "11.66833207932267e0",
            "13.059474022518685e0",
            "14.422675361702382e0",
            "15.763189220193311e0",
            "17.08480345141917e0",
        ],
        ("lower", 99.8): [
            "0e0",
            "0.001000500333583534e0",
            "0.045402017769489544e0",
            "0.1905333775684032e0",
            "0.428552413628423e0",
            "0.7393717319178323e0",
            "1.1071046602556394e0",
            "1.5203362603988093e0",
            "1.9708139217403657e0",
            "2.452424404363775e0",
        ],
        ("upper", 99.8): [
            "6.907755278982137e0",
            "9.233413476451586e0",
            "11.228872242412661e0",
            "13.062240779188071e0",
            "14.79414922253721e0",
            "16.454745203680105e0",
            "18.06163684019907e0",
            "19.62617739538424e0",
            "21.156198165839985e0",
            "22.657373309062933e0",
        ],
    }[(side, level)] -%}
    case {{ x }} {% for limit in limits %} when {{ loop.index0 }} then {{ limit }} {% endfor %} end
{%- endmacro %}

{#-
  The end of the exact Poisson interval of any count x >= 0: the table for 0 to 9, else the gamma quantile
  (shared counts such as 4.5, and the expected counts of a funnel).
-#}
{% macro exact_poisson_limit(x, side, level) -%}
    case
        when {{ x }} in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
        then {{ exact_poisson_table(x, side, level) }}
        when {{ x }} > 0
        then {{ gamma_quantile(x if side == "lower" else x ~ " + 1", side, level) }}
    end
{%- endmacro %}

{#- The end of Byar's interval of a count x >= 10 (Breslow and Day 1987). -#}
{% macro byar_limit(x, side, level) -%}
    {%- set count = "(" ~ x ~ (")" if side == "lower" else " + 1)") ~ "::double" -%}
    {%- set sign = "-" if side == "lower" else "+" -%}
    ({{ count }} * pow(1 - 1 / (9 * {{ count }}) {{ sign }} {{ z_value(level) }} / (3 * sqrt({{ count }})), 3))
{%- endmacro %}

{#- x / n x multiplier, for rates and proportions alike. -#}
{% macro rate_value(x, n, multiplier=1000) -%}
    case when {{ x }} >= 0 and {{ n }} > 0 then ({{ x }})::double / ({{ n }}) * {{ multiplier }} end
{%- endmacro %}

{#- One end of a rate's interval: exact Poisson below 10 events, Byar from 10, x multiplier / n. -#}
{% macro rate_limit(x, n, multiplier=1000, side="lower", level=95) -%}
    case
        when {{ n }} <= 0
        then null
        when {{ x }} >= 10
        then {{ byar_limit(x, side, level) }} / ({{ n }}) * {{ multiplier }}
        when {{ x }} >= 0
        then {{ exact_poisson_limit(x, side, level) }} / ({{ n }}) * {{ multiplier }}
    end
{%- endmacro %}

{#- Which of the two gave the interval: 'Exact' or 'Byar'. -#}
{% macro rate_method(x) -%} case when {{ x }} >= 10 then 'Byar' when {{ x }} >= 0 then 'Exact' end {%- endmacro %}

{#-
  One end of Wilson's score interval of x of n, without continuity correction, x multiplier; the upper end of
  n of n is exactly 1.
-#}
{% macro wilson_limit(x, n, multiplier=100, side="lower", level=95) -%}
    {%- set z = z_value(level) -%}
    {%- set sign = "-" if side == "lower" else "+" -%}
    case
        {%- if side == "upper" %} when {{ n }} > 0 and {{ x }} = {{ n }} then 1e0 * {{ multiplier }} {%- endif %}
        when {{ n }} > 0 and {{ x }} >= 0 and {{ x }} <= {{ n }}
        then
            (
                2 * ({{ x }})::double
                + {{ z }}
                * {{ z }} {{ sign }} {{ z }}
                * sqrt({{ z }} * {{ z }} + 4 * ({{ x }})::double * (1 - ({{ x }})::double / ({{ n }})))
            )
            / 2
            / ({{ n }} + {{ z }} * {{ z }})
            * {{ multiplier }}
    end
{%- endmacro %}

{#- The ratio of the rate x / n to a reference group's rate x0 / n0. -#}
{% macro rate_ratio(x, n, x0, n0) -%}
    case
        when {{ x }} >= 0 and {{ n }} > 0 and {{ x0 }} > 0 and {{ n0 }} > 0
        then (({{ x }})::double / ({{ n }})) / (({{ x0 }})::double / ({{ n0 }}))
    end
{%- endmacro %}

{#-
  One end of a rate ratio's log-normal interval: ratio x exp(-+ z sqrt(1/x + 1/x0)). Null where a group has
  no event (the logarithm has no value there).
-#}
{% macro rate_ratio_limit(x, n, x0, n0, side="lower", level=95) -%}
    {%- set sign = "-" if side == "lower" else "+" -%}
    case
        when {{ x }} > 0 and {{ x0 }} > 0
        then
            {{ rate_ratio(x, n, x0, n0) }}
            * exp({{ sign }} {{ z_value(level) }} * sqrt(1 / ({{ x }})::double + 1 / ({{ x0 }})::double))
    end
{%- endmacro %}
