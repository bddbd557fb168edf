-- Grain: straight piece of a trajectory.
select distinct trajectory_id, ambition_id, knot_year, knot_target, next_year, next_target
from {{ ref("ambition_trajectory") }}
where next_year is not null
