-- For the national Insights group: who worsened most? Each trust's newest verdict beside the one a period before, of the
-- same series: those that are worse now and were not, and those whose excess of events a year has grown most.
with verdicts as (
    select
        trust_name, lms_name, indicator_name, breakdown_value, period_label, period_end, value, unit,
        comparator_value, verdict, verdict_basis, excess, is_synthetic, release_key,
        lag(period_label) over series as period_before,
        lag(value) over series as value_before,
        lag(verdict) over series as verdict_before,
        lag(excess) over series as excess_before,
        max(period_end) over (partition by source_id, indicator_id, breakdown_value, months) as newest
    from (select *, date_diff('month', period_start, period_end) as months from marts.trust_indicator)
    where verdict is not null and breakdown in ('all', 'category')
    window series as (
        partition by trust_code, source_id, indicator_id, breakdown, breakdown_value, months
        order by period_start
    )
)

select
    trust_name, lms_name, indicator_name, breakdown_value, period_before, verdict_before,
    round(value_before, 2) as value_before, period_label, verdict, round(value, 2) as value, unit, round(comparator_value, 2) as comparator_value, verdict_basis,
    round(excess - excess_before, 1) as excess_added, is_synthetic, release_key
from verdicts
where period_end = newest and verdict = 'worse' and period_before is not null
order by verdict_before = 'worse', excess_added desc nulls last, trust_name
