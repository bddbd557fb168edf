-- For the LMS board: which values of our trusts are better or worse than what they are compared with, and who says so?
-- Change the code in the first line. Deaths are judged by MBRRACE-UK alone; a masked value keeps its verdict.
with asked as (select 'QWO' as lms_code)

select
    trust_name, indicator_name, period_label, round(value, 2) as value, unit, round(lower_95, 2) as lower_95,
    round(upper_95, 2) as upper_95, comparator_value, verdict, verdict_basis,
    verdict_level, excess, usage_warnings, release_key
from marts.trust_indicator
inner join asked using (lms_code)
where breakdown = 'all'
qualify
    row_number() over (partition by trust_code, indicator_id, source_id order by period_end desc, period_start desc) = 1
    and verdict in ('worse', 'better')
order by verdict desc, indicator_name, trust_name
