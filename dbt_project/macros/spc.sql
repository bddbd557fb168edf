{#-
  Statistical process control: XmR charts by NHS England's "Making Data Count" rules, as the R package
  NHSRplotthedots computes them.
-#}
{#-
  The assurance icon: how the process limits lie to the target. 'consistent_pass', 'consistent_fail' or
  'inconsistent'; null without target, limits or a direction of improvement ('increase', 'decrease').
-#}
{% macro spc_assurance(improvement_direction, lpl, upl, target) -%}
    case
        when {{ improvement_direction }} not in ('increase', 'decrease') or {{ upl }} is null or {{ lpl }} is null
        then null
        when {{ target }} > {{ upl }}
        then if({{ improvement_direction }} = 'increase', 'consistent_fail', 'consistent_pass')
        when {{ target }} < {{ lpl }}
        then if({{ improvement_direction }} = 'increase', 'consistent_pass', 'consistent_fail')
        when {{ target }} is not null
        then 'inconsistent'
    end
{%- endmacro %}

{#- Events a point, in the mean of a series, below which its values are no process about a mean: no limits. -#}
{% macro least_events_of_a_chart() -%} 5 {%- endmacro %}

{#-
  XmR chart of every series, over `relation` (a name, a ref or a bracketed query): every column of the
  relation plus the columns of NHSRplotthedots
    short_group_warning (fewer than 13 points), mean_col, lpl, upl (mean -+ 2.66 x mean moving range),
    outside_limits, relative_to_mean (-1, 0, 1), close_to_limits (beyond two thirds of a limit, not
    outside), special_cause_type ('Above UCL', 'Below LCL', '7 Point Trend (Increasing|Decreasing)', '2 in 3
    Above|Below CL', '7 Points Above|Below CL', 'Common Cause', by this priority), special_cause_flag,
    point_type ('common_cause', 'special_cause_improvement|concern', 'special_cause_neutral_high|low').
  `series` lists the columns that name one series (with the rebase group, if any); `position` orders it; `y`
  is the value; `fix_y` the value where it counts for mean and limits (default y); `improvement_direction`
  ('increase', 'decrease', else neutral) and `screen_outliers` (boolean: moving ranges of 3.267 x their mean
  and more are dropped) and `follows` (boolean: whether the point comes one step after the point before it) are
  expressions. Linear in the points but for the sort. A missing value and a gap end runs and moving ranges.
-#}
{% macro spc(
    relation,
    series,
    position,
    y,
    improvement_direction,
    screen_outliers="true",
    fix_y=none,
    follows="true"
) -%}
    {%- set whole = "over (" ~ partition_clause(series) ~ ")" -%}
    {%- set in_time -%}
        {{ partition_clause(series + ["spc_stretch"]) }} order by {{ position }}
    {%- endset -%}
    (
        with
            {# stretches without a gap; mean and limits are of the whole series #}
            stretched as (
                select
                    *,
                    count(*) filter (where not ({{ follows }})) over (
                        {{ partition_clause(series) }}
                        order by {{ position }}
                        rows between unbounded preceding and current row
                    ) as spc_stretch
                from {{ relation }}
            ),
            moved as (
                select *, ({{ y }})::double as spc_y, ({{ fix_y if fix_y is not none else y }})::double as spc_fix_y
                from stretched
            ),
            ranged as (select *, abs(spc_fix_y - lag(spc_fix_y) over ({{ in_time }})) as spc_mr from moved),
            first_means as (
                select
                    *,
                    {{ compensated("avg", "spc_fix_y") }} {{ whole }} as spc_first_mean,
                    {{ compensated("avg", "spc_mr") }} {{ whole }} as spc_first_amr
                from ranged
            ),
            {# a second pass over the residuals takes the rounding out of the mean, as R's mean() does #}
            screened as (
                select
                    *,
                    spc_first_mean + {{ compensated("avg", "spc_fix_y - spc_first_mean") }} {{ whole }} as mean_col,
                    case
                        when not {{ screen_outliers }} or spc_mr < 3.267e0 * spc_first_amr then spc_mr
                    end as spc_kept_mr
                from first_means
            ),
            limited as (
                select
                    *,
                    count(*) {{ whole }} < 13 as short_group_warning,
                    {{ compensated("avg", "spc_kept_mr") }} {{ whole }} as spc_amr,
                    mean_col - 2.66e0 * spc_amr as lpl,
                    mean_col + 2.66e0 * spc_amr as upl,
                    mean_col - (2 * (2.66e0 / 3)) * spc_amr as spc_near_lpl,
                    mean_col + (2 * (2.66e0 / 3)) * spc_amr as spc_near_upl
                from screened
            ),
            placed as (
                select
                    *,
                    spc_y > upl or spc_y < lpl as outside_limits,
                    sign(spc_y - mean_col)::integer as relative_to_mean,
                    not outside_limits and (spc_y < spc_near_lpl or spc_y > spc_near_upl) as close_to_limits,
                    sign(spc_y - lag(spc_y) over spc_time)::integer as spc_step,
                    sign(lead(spc_y) over spc_time - spc_y)::integer as spc_next_step
                from limited
                window spc_time as ({{ in_time }})
            ),
            {# ends of seven-point patterns, and the threes on one side with two points close to a limit #}
            ended as (
                select
                    *,
                    coalesce(
                        abs(sum(spc_step) over (spc_time rows between 5 preceding and current row)) = 6, false
                    ) as spc_trend_ends,
                    coalesce(
                        abs(sum(relative_to_mean) over (spc_time rows between 6 preceding and current row)) = 7, false
                    ) as spc_shift_ends,
                    coalesce(
                        abs(sum(relative_to_mean) over spc_three) = 3
                        and count(*) filter (where close_to_limits) over spc_three >= 2,
                        false
                    ) as spc_three_ends
                from placed
                window
                    spc_time as ({{ in_time }}), spc_three as ({{ in_time }} rows between 2 preceding and current row)
            ),
            belonging as (
                select
                    *,
                    bool_or(spc_trend_ends) over spc_next_seven as spc_in_trend,
                    bool_or(spc_shift_ends) over spc_next_seven as spc_in_shift,
                    close_to_limits
                    and bool_or(spc_three_ends) over (
                        {{ in_time }} rows between current row and 2 following
                    ) as spc_in_three
                from ended
                window spc_next_seven as ({{ in_time }} rows between current row and 6 following)
            ),
            {# where a point belongs to two trends, the step to its right names the direction #}
            directed as (
                select
                    *,
                    if(
                        spc_in_trend and coalesce(lead(spc_in_trend) over spc_time, false), spc_next_step, spc_step
                    ) as spc_direction
                from belonging
                window spc_time as ({{ in_time }})
            ),
            typed as (
                select
                    *,
                    case
                        when spc_y is null
                        then null
                        when outside_limits
                        then if(relative_to_mean = 1, 'Above UCL', 'Below LCL')
                        when spc_in_trend
                        then if(spc_direction = 1, '7 Point Trend (Increasing)', '7 Point Trend (Decreasing)')
                        when spc_in_three
                        then if(relative_to_mean > 0, '2 in 3 Above CL', '2 in 3 Below CL')
                        when spc_in_shift
                        then if(relative_to_mean > 0, '7 Points Above CL', '7 Points Below CL')
                        else 'Common Cause'
                    end as special_cause_type,
                    special_cause_type <> 'Common Cause' as special_cause_flag,
                    case
                        when special_cause_type like '%Above%' or special_cause_type like '%Increasing%'
                        then 1
                        when special_cause_flag
                        then -1
                    end as spc_sense
                from directed
            )
        select
            * exclude (
                spc_stretch,
                spc_y,
                spc_fix_y,
                spc_mr,
                spc_first_mean,
                spc_first_amr,
                spc_kept_mr,
                spc_amr,
                spc_near_lpl,
                spc_near_upl,
                spc_step,
                spc_next_step,
                spc_trend_ends,
                spc_shift_ends,
                spc_three_ends,
                spc_in_trend,
                spc_in_shift,
                spc_in_three,
                spc_direction,
                spc_sense
            ),
            case
                when not special_cause_flag
                then 'common_cause'
                when {{ improvement_direction }} not in ('increase', 'decrease')
                then if(spc_sense = 1, 'special_cause_neutral_high', 'special_cause_neutral_low')
                when special_cause_flag
                then
                    if(
                        (spc_sense = 1) = ({{ improvement_direction }} = 'increase'),
                        'special_cause_improvement',
                        'special_cause_concern'
                    )
            end as point_type
        from typed
    )
{%- endmacro %}
