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
    (
        with
            ordered as (
                select
                    *,
                    row_number() over () as trend_row,
                    case
                        when {{ statistic }} = 'proportion' and {{ n }} > 0 and {{ x }} between 0 and {{ n }}
                        then {'w': ({{ n }})::double, 'y': ({{ x }})::double / {{ n }}}
                        when {{ statistic }} = 'rate' and {{ upper }} > {{ lower }}
                        then {'w':pow(({{ upper }} - {{ lower }}) / 3.92e0, -2), 'y': ({{ value }})::double}
                    end as trend_point,
                    {{ starts }} is not distinct from lag({{ ends }}) over series_in_time + 1 as trend_follows
                from {{ relation }}
                window series_in_time as ({{ partition_clause(series) }} order by {{ starts }}, {{ ends }})
            ),
            windowed as materialized(
                select
                    *,
                    list(trend_point) over last_five as trend_list,
                    count(trend_point.y) over last_five as trend_points,
                    count(*) filter (where trend_follows) over last_steps as trend_steps
                from ordered
                window
                    last_five as (
                        {{ partition_clause(series) }}
                        order by {{ starts }}, {{ ends }}
                        rows between 4 preceding and current row
                    ),
                    last_steps as (
                        {{ partition_clause(series) }}
                        order by {{ starts }}, {{ ends }}
                        rows between 3 preceding and current row
                    )
            ),
            points as (
                select trend_row, unnest(trend_list) as point, generate_subscripts(trend_list, 1) as i
                from windowed
                where trend_points = 5 and trend_steps = 4
            ),
            sums as (
                select
                    trend_row,
                    list({'i':i, 'w':point.w, 'y':point.y}) as points,
                    sum(point.w) as w,
                    sum(point.w * i) as wx,
                    sum(point.w * point.y) as wy,
                    sum(point.w * i * point.y) as wxy,
                    sum(point.w * i * i) as wxx
                from points
                group by trend_row
            ),
            slopes as (
                select
                    trend_row,
                    w,
                    wy,
                    w * wxx - wx * wx as spread,
                    {{ weighted_slope("w", "wx", "wy", "wxy", "wxx") }} as trend_slope,
                    list_transform(
                        points,
                        lambda p:
                        {{
                            weighted_slope(
                                "w - p.w",
                                "wx - p.w * p.i",
                                "wy - p.w * p.y",
                                "wxy - p.w * p.i * p.y",
                                "wxx - p.w * p.i * p.i",
                            )
                        }} < 0
                    ) as falls_without
                from sums
            ),
            asked as (
                select
                    windowed.*,
                    slopes.trend_slope,
                    case
                        {{ statistic }}
                        when 'proportion'
                        then
                            slopes.w
                            * pow(slopes.trend_slope * slopes.spread, 2)
                            / nullif(slopes.wy * (slopes.w - slopes.wy) * slopes.spread, 0)
                        when 'rate'
                        then pow(slopes.trend_slope, 2) * slopes.spread / slopes.w
                    end as trend_chi_squared,
                    {{ statistic }} = 'proportion'
                    or coalesce(
                        list_bool_and(list_transform(falls_without, lambda f:f = (slopes.trend_slope < 0))), false
                    ) as trend_unanimous,
                    slopes.trend_row is not null as trend_known
                from windowed
                left join slopes on windowed.trend_row = slopes.trend_row
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
            * exclude (trend_row, trend_point, trend_follows, trend_list, trend_steps, trend_unanimous, trend_known),
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
