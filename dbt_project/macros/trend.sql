{#- `partition by a, b` for a list of columns, nothing for an empty list. -#}
{% macro partition_clause(columns) -%}
    {%- if columns -%} partition by {{ columns | join(", ") }} {%- endif -%}
{%- endmacro %}

{#- The 0.998 quantile of chi-square with one degree of freedom: Fingertips' threshold, p < 0.002. -#}
{% macro trend_threshold() -%} 9.549535706083239e0 {%- endmacro %}

{#- Slope of a weighted line from its five sums (weights, w x, w y, w x y, w x x). -#}
{% macro weighted_slope(w, wx, wy, wxy, wxx) -%}
    ((({{ w }}) * ({{ wxy }}) - ({{ wx }}) * ({{ wy }})) / nullif(({{ w }}) * ({{ wxx }}) - ({{ wx }}) * ({{ wx }}), 0))
{%- endmacro %}

{#-
  Recent trend at every point of every series, as Fingertips does it, over `relation` (a name, a ref or a
  bracketed query): every column of the relation plus
    trend_points (how many of the last five can be used), trend_chi_squared (1 degree of freedom),
    trend_slope (change of the value a step; for proportions of x / n), trend_significant, recent_trend
    ('better', 'worse', 'increasing', 'decreasing', 'no significant change' or 'cannot be calculated').
  A row's trend is that of the five points ending at the row, so the newest row carries the recent trend.
  `series` lists the columns that name one series; `starts` and `ends` are a point's first and last period
  (two dates, or the year twice): the next point must start one step after the last ended, so a gap, a
  missing value and overlapping pooled periods all give 'cannot be calculated'. `statistic` and `polarity`
  are expressions: 'proportion' is asked by Cochran-Armitage on x of n; 'rate' by least squares of value on
  1 ... 5 with weights ((upper - lower) / 3.92)^-2 from the 95% interval, where moreover all five
  leave-one-out slopes must share the sign; polarity 'low', 'high' (good) or anything else.
-#}
{% macro recent_trend(relation, series, starts, ends, x, n, value, lower, upper, statistic, polarity="null") -%}
    {%- set counted = statistic ~ " = 'proportion' and " ~ n ~ " > 0 and " ~ x ~ " between 0 and " ~ n -%}
    {%- set estimated = statistic ~ " = 'rate' and " ~ upper ~ " > " ~ lower -%}
    {%- set sums = {
        "trend_sum_w": "trend_w#",
        "trend_sum_wx": "trend_w# * #",
        "trend_sum_wy": "trend_w# * trend_y#",
        "trend_sum_wxy": "trend_w# * # * trend_y#",
        "trend_sum_wxx": "trend_w# * # * #",
    } -%}
    (
        with
            pointed as (
                select
                    *,
                    case
                        when {{ counted }}
                        then ({{ n }})::double
                        when {{ estimated }}
                        then pow(({{ upper }} - {{ lower }}) / 3.92e0, -2)
                    end as trend_w,
                    case
                        when {{ counted }}
                        then ({{ x }})::double / {{ n }}
                        when {{ estimated }}
                        then ({{ value }})::double
                    end as trend_y
                from {{ relation }}
            ),
            {# trend_w1, trend_y1 … trend_w5, trend_y5: the last five points, the newest last; sorted once, for rows are wide #}
            windowed as (
                select
                    *,
                    {% for i in range(1, 6) %}
                        lag(trend_w, {{ 5 - i }}) over series_in_time as trend_w{{ i }},
                        lag(trend_y, {{ 5 - i }}) over series_in_time as trend_y{{ i }},
                    {% endfor %}
                    {% for i in range(4) %}
                        lag({{ starts }}, {{ i }}) over series_in_time
                        is not distinct from lag({{ ends }}, {{ i + 1 }}) over series_in_time
                        + 1
                        {{ "and" if not loop.last }}
                    {% endfor %} as trend_follows
                from pointed
                window series_in_time as ({{ partition_clause(series) }} order by {{ starts }}, {{ ends }})
            ),
            sums as (
                select
                    *,
                    {% for i in range(1, 6) %}
                        if(trend_y{{ i }} is null, 0, 1) {{ "+" if not loop.last }}
                    {% endfor %} as trend_points,
                    trend_points = 5 and trend_follows as trend_known,
                    {% for name, term in sums.items() %}
                        {% for i in range(1, 6) %}
                            {{ term | replace("#", i) }} {{ "+" if not loop.last }}
                        {% endfor %} as {{ name }}{{ "," if not loop.last }}
                    {% endfor %}
                from windowed
            ),
            slopes as (
                select
                    *,
                    trend_sum_w * trend_sum_wxx - trend_sum_wx * trend_sum_wx as trend_spread,
                    case
                        when trend_known
                        then
                            {{
                                weighted_slope(
                                    "trend_sum_w", "trend_sum_wx", "trend_sum_wy", "trend_sum_wxy", "trend_sum_wxx"
                                )
                            }}
                    end as trend_slope
                from sums
            ),
            asked as (
                select
                    *,
                    case
                        {{ statistic }}
                        when 'proportion'
                        then
                            trend_sum_w
                            * pow(trend_slope * trend_spread, 2)
                            / nullif(trend_sum_wy * (trend_sum_w - trend_sum_wy) * trend_spread, 0)
                        when 'rate'
                        then pow(trend_slope, 2) * trend_spread / trend_sum_w
                    end as trend_chi_squared,
                    {# a slope that cannot be drawn without a point says nothing against the others #}
                    {{ statistic }} = 'proportion'
                    or (
                        {% for i in range(1, 6) %}
                            (
                                {{
                                    weighted_slope(
                                        "trend_sum_w - trend_w#",
                                        "trend_sum_wx - trend_w# * #",
                                        "trend_sum_wy - trend_w# * trend_y#",
                                        "trend_sum_wxy - trend_w# * # * trend_y#",
                                        "trend_sum_wxx - trend_w# * # * #",
                                    ) | replace("#", i)
                                }} < 0
                            )
                            is distinct from (trend_slope >= 0)
                            {{ "and" if not loop.last }}
                        {% endfor %}
                    ) as trend_unanimous
                from slopes
            ),
            judged as (
                select
                    * exclude (trend_chi_squared, trend_points),
                    trend_points,
                    trend_chi_squared,
                    case
                        when trend_known
                        then coalesce(trend_chi_squared > {{ trend_threshold() }} and trend_unanimous, false)
                    end as trend_significant
                from asked
            )
        select
            * exclude (
                trend_w,
                trend_y,
                {% for i in range(1, 6) %} trend_w{{ i }}, trend_y{{ i }}, {% endfor %}
                {% for name in sums %} {{ name }}, {% endfor %}
                trend_follows,
                trend_spread,
                trend_unanimous,
                trend_known
            ),
            case
                when trend_significant is null
                then 'cannot be calculated'
                when not trend_significant
                then 'no significant change'
                when {{ polarity }} in ('low', 'high')
                then if((trend_slope > 0) = ({{ polarity }} = 'high'), 'better', 'worse')
                else if(trend_slope > 0, 'increasing', 'decreasing')
            end as recent_trend
        from judged
    )
{%- endmacro %}
