-- For the board safety champion: what do public sources say of the measures that the guide of 2020 wants a board to see,
-- and why is a measure blank?
with asked as (select 'RAE' as trust_code)

select
    measure, indicator_id, period_label, round(value, 2) as value, unit, verdict, verdict_basis, recent_trend, position,
    reason_blank, usage_warnings, release_key
from marts.board_dashboard
inner join asked using (trust_code)
order by place, indicator_id, source_id
