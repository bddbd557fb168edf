-- For the national Insights group: what changed since the last edition, where and why?
-- New figures are counted with the rest; a first edition has no changes. marts.edition_change has them one by one.
select
    indicator.indicator_name, change.source_id, change.change, change.reason, count(*) as figures,
    count(distinct change.organisation_code) as organisations, min(change.period_start) as earliest,
    max(change.period_end) as newest, round(max(abs(change.new_value - change.old_value)), 2) as greatest_difference,
    any_value(indicator.unit) as unit, bool_or(change.is_synthetic) as is_synthetic
from marts.edition_change as change
left join core.dim_indicator as indicator using (indicator_id)
group by indicator.indicator_name, change.source_id, change.change, change.reason
order by change.change = 'added', figures desc, indicator.indicator_name, change.source_id, change.change, change.reason
