-- For the board safety champion: where is our trust beside the national ambitions' trajectories?
-- The trajectory is England's: a way to look, not a target that was set for the trust.
with asked as (select 'RAE' as trust_code)

select
    position.ambition_id, position.period_label, round(position.value, 2) as value, position.unit,
    round(position.lower_95, 2) as lower_95, round(position.upper_95, 2) as upper_95,
    round(position.target, 2) as trajectory, position.position, round(position.years_behind, 1) as years_behind,
    position.basis, position.definition_note, position.usage_warnings
from marts.ambition_position as position
inner join asked on position.organisation_code = asked.trust_code
where position.level = 'trust'
order by position.ambition_id, position.period_end
