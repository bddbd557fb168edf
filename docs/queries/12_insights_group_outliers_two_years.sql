-- For the national Insights group: which trusts were worse in both of the two newest years, by a rate that the publisher
-- has adjusted? Adjusted rates alone: MBRRACE-UK's category 5, or the publisher's adjusted rate beyond funnel limits.
with years as (
    select
        *,
        dense_rank() over (partition by source_id, indicator_id order by period_end desc, period_start) as year_back,
        lag(period_label) over one_trust as period_before,
        lag(adjusted_value) over one_trust as adjusted_before,
        lag(verdict) over one_trust as verdict_before
    from marts.trust_indicator
    where
        breakdown = 'all'
        and adjusted_value is not null
        and verdict_basis in ('publisher', 'publisher_adjusted_rate')
        and period_end - period_start between 360 and 370
    window one_trust as (partition by trust_code, source_id, indicator_id order by period_end)
)

select
    indicator_name, trust_name, lms_name, period_before, round(adjusted_before, 2) as adjusted_before, period_label,
    round(adjusted_value, 2) as adjusted_value, unit, round(comparator_value, 2) as comparator_value, verdict_basis,
    round(excess, 1) as excess, usage_warnings, release_key
from years
where year_back = 1 and verdict = 'worse' and verdict_before = 'worse'
order by indicator_name, excess desc nulls last, trust_name, source_id
