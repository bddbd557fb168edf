-- Grain: ambition × definition × geography × period: published actuals beside the seed's trajectory. The
-- trajectory is
-- piecewise linear between the seed's knots (this project's own choice: no official curve was found). Rows
-- of different
-- definitions never stand in one line.
with
    knots as (
        select
            ambition_id,
            year,
            target,
            lead(year) over (partition by ambition_id order by year) as next_year,
            lead(target) over (partition by ambition_id order by year) as next_target
        from {{ ref("ambition_knot") }}
    ),

    actuals as (
        select
            mapping.ambition_id,
            coalesce(mapping.definition, published.note) as definition,
            mapping.is_headline,
            published.geography,
            published.period,
            -- a triennium stands at its middle year
            case
                when regexp_full_match(published.period, '\d{4}-\d{2}')
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
    ),

    placed as (
        select
            actuals.*,
            knots.target + coalesce(
                (knots.next_target - knots.target) * (actuals.year - knots.year) / (knots.next_year - knots.year), 0
            ) as target
        from actuals
        left join
            knots
            on actuals.ambition_id = knots.ambition_id
            and actuals.is_headline
            and (
                (actuals.year >= knots.year and actuals.year < knots.next_year)
                or (knots.next_year is null and actuals.year >= knots.year)
            )
    )

select
    placed.ambition_id,
    ambition.ambition_name,
    placed.definition,
    placed.geography,
    placed.period,
    placed.year::integer as year,
    round(placed.target, 6) as target,
    placed.actual::double as actual,
    round(placed.actual - placed.target, 6) as gap,
    round(placed.actual - placed.target, 6) <= 0 as on_track,
    -- when the trajectory stood where the actual stands now; a rate above the first knot never stood on it
    round(
        placed.year - (
            knots.year
            + (knots.target - placed.actual) / (knots.target - knots.next_target) * (knots.next_year - knots.year)
        ),
        2
    ) as years_behind,
    placed.unit,
    placed.numerator::double as numerator,
    placed.geography = ambition.headline_geography and placed.definition = ambition.headline_definition as is_headline,
    placed.note,
    ambition.quirk,
    placed.source_url
from placed
inner join {{ ref("ambition") }} as ambition using (ambition_id)
left join
    knots
    on placed.ambition_id = knots.ambition_id
    and placed.target is not null
    and placed.actual <= knots.target
    and placed.actual > knots.next_target
order by placed.ambition_id, placed.definition, placed.geography, placed.year, placed.period
