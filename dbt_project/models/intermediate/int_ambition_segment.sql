-- Grain: ambition × straight piece of its trajectory.
select distinct ambition_id, knot_year, knot_target, next_year, next_target
from {{ ref("ambition_trajectory") }}
where next_year is not null
