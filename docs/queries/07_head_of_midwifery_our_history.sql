-- For the head of midwifery: what is the history of today's trust and of the trusts that it grew out of?
-- A trust that was split (is_split) may be shown under each successor, but its counts may not be added up.
with asked as (select 'RAL' as today_code)

select
    today.code, indicator.trust_name, indicator.indicator_name, indicator.period_label, indicator.numerator,
    indicator.denominator, round(indicator.value, 2) as value, indicator.unit, today.mergers, today.is_split,
    indicator.usage_warnings
from core.bridge_organisation_today as today
inner join asked using (today_code)
inner join marts.trust_indicator as indicator on indicator.trust_code = today.code
where indicator.breakdown = 'all'
order by indicator.indicator_name, indicator.period_start, today.code
