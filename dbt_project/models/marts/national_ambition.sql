-- Grain: ambition × definition × geography × period: published actuals beside the trajectory. Rows of different
-- definitions never stand in one line.
with
    actuals as (
        select
            mapping.ambition_id,
            coalesce(mapping.definition, published.note) as definition,
            mapping.is_headline as follows_trajectory,
            published.geography,
            published.period,
            -- a triennium stands at its middle year
            case
                when {{ matches_whole("published.period", "'[0-9]{4}-[0-9]{2}'") }}
                then left(published.period, 4)::integer + 1
                else left(published.period, 4)::integer
            end as year,
            published.value as actual,
            published.numerator,
            published.unit,
            published.note,
            published.source as source_url
        from {{ ref("england_published_actual") }} as published
        inner join {{ ref("ambition_actual_map") }} as mapping using (metric)
    )

select
    actuals.ambition_id,
    ambition.ambition_name,
    actuals.definition,
    actuals.geography,
    actuals.period,
    actuals.year::integer as year,
    trajectory.target,
    actuals.actual::double as actual,
    round(actuals.actual - trajectory.target, 6) as gap,
    round(actuals.actual - trajectory.target, 6) <= 0 as on_track,
    case
        when actuals.follows_trajectory then {{ years_behind("actuals.year", "actuals.actual", "segment") }}
    end as years_behind,
    actuals.unit,
    actuals.numerator::double as numerator,
    actuals.geography = ambition.headline_geography
    and actuals.definition = ambition.headline_definition as is_headline,
    actuals.note,
    ambition.quirk,
    actuals.source_url
from actuals
inner join {{ ref("ambition") }} as ambition using (ambition_id)
left join
    {{ ref("ambition_trajectory") }} as trajectory
    on actuals.ambition_id = trajectory.ambition_id
    and actuals.year = trajectory.year
    and actuals.follows_trajectory
-- a rate above the first knot, or below the last, never stood on the trajectory
left join
    {{ ref("int_ambition_segment") }} as segment
    on actuals.ambition_id = segment.ambition_id
    and actuals.actual <= segment.knot_target
    and actuals.actual > segment.next_target
order by actuals.ambition_id, actuals.definition, actuals.geography, actuals.year, actuals.period
