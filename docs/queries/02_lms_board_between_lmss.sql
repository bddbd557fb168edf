-- For the LMS board: where do we stand among the 44 LMSs, incomplete ones by the bounds that the public figures allow?
with newest as (
    select *
    from marts.lms_indicator
    where indicator_id = 'stillbirth_rate' and breakdown = 'all'
    qualify row_number() over (partition by lms_code, source_id order by period_end desc, period_start desc) = 1
)

select
    lms_name, period_label, round(value, 2) as value, round(lower_95, 2) as lower_95, round(upper_95, 2) as upper_95,
    value_min as least_possible, value_max as greatest_possible, trusts_reporting, trusts_expected, usage_warnings
from newest
order by coalesce(value, (value_min + value_max) / 2) desc
