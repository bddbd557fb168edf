-- For the LMS board: how have our own figures moved, and is there a trend? (The trend is of the five points that end there.)
with asked as (select 'QWO' as lms_code)

select
    indicator_name, period_label, round(value, 2) as value, unit, round(lower_95, 2) as lower_95,
    round(upper_95, 2) as upper_95, value_min, value_max, recent_trend, is_complete, usage_warnings
from marts.lms_indicator
inner join asked using (lms_code)
where breakdown = 'all'
order by source_id, indicator_name, period_start
