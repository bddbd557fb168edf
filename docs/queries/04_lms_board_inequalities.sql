-- For the LMS board: between which groups of women are the differences greatest? No rows where no source gives groups.
select
    organisation_name, indicator_name, period_label, breakdown, "group", round(rate, 2) as rate, unit, reference_group,
    round(ratio, 2) as ratio, round(ratio_lower_95, 2) as ratio_lower_95, round(ratio_upper_95, 2) as ratio_upper_95,
    round(gap, 2) as gap, usage_warnings
from marts.inequality
where level in ('lms', 'england')
order by abs(ln(nullif(ratio, 0))) desc nulls last, organisation_name, "group"
limit 50
