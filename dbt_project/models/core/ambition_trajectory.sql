-- Grain: trajectory × year, from the first knot to five years past the last: the seed's knots joined by straight
-- lines (this project's own choice: no official curve was found), level after the last knot. An ambition has its own
-- trajectory (trajectory_id = ambition_id), and one more for each definition that has knots of its own.
with recursive
    knots as (
        select
            trajectory_id,
            ambition_id,
            year as knot_year,
            target as knot_target,
            lead(year) over later as next_year,
            lead(target) over later as next_target
        from {{ ref("ambition_knot") }}
        window later as (partition by trajectory_id order by year)
    ),

    years as (
        select *, knot_year as year
        from knots
        union all
        select * exclude (year), year + 1
        from years
        where year + 1 < coalesce(next_year, knot_year + 6)
    )

select
    trajectory_id,
    ambition_id,
    year::integer as year,
    round(
        knot_target
        + coalesce((next_target - knot_target) * (year - knot_year), 0) / coalesce(next_year - knot_year, 1),
        6
    ) as target,
    knot_year,
    knot_target,
    next_year,
    next_target
from years
order by trajectory_id, year
