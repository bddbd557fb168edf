-- Grain: ambition × year, from the first knot to five years past the last: the seed's knots joined by straight
-- lines (this project's own choice: no official curve was found), level after the last knot.
with
    knots as (
        select ambition_id, year, target, lead(year) over later as next_year, lead(target) over later as next_target
        from {{ ref("ambition_knot") }}
        window later as (partition by ambition_id order by year)
    )

select
    ambition_id,
    unnest(range(year, coalesce(next_year, year + 6)))::integer as year,
    round(
        target
        + coalesce((next_target - target) * (unnest(range(year, coalesce(next_year, year + 6))) - year), 0)
        / coalesce(next_year - year, 1),
        6
    ) as target,
    year as knot_year,
    target as knot_target,
    next_year,
    next_target
from knots
order by ambition_id, year
