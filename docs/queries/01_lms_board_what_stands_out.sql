-- For the LMS board: which values of our trusts lie wholly on one side of what they are compared with?
-- Change the code in the first line. One in forty lies wholly above, and one in forty wholly below, by chance alone.
with asked as (select 'QWO' as lms_code)

select
    trust_name, indicator_name, period_label, round(value, 2) as value, unit, round(lower_95, 2) as lower_95,
    round(upper_95, 2) as upper_95, comparator_value, comparison, usage_warnings, release_key
from marts.trust_indicator
inner join asked using (lms_code)
where breakdown = 'all'
qualify
    row_number() over (partition by trust_code, indicator_id, source_id order by period_end desc, period_start desc) = 1
    and comparison in ('worse', 'better', 'higher', 'lower')
order by comparison desc, indicator_name, trust_name
