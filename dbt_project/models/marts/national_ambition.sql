-- Grain: ambition × definition × geography × period: published actuals, what has changed since the baseline of the same
-- definition, and the trajectory beside those that it is for.
with
    -- the definition with the newest figure leads; of several equally new ones, the first of the seed
    headline as (
        select ambition_id, definition, geography
        from {{ ref("int_ambition_actual") }}
        where leads_from is not null
        qualify
            row_number() over (
                partition by ambition_id order by period_end desc, leads_from, geography, definition, period
            )
            = 1
    ),

    compared as (
        select
            actuals.*,
            baseline.period as baseline,
            baseline.actual as baseline_value,
            round(actuals.actual - baseline.actual, 6) as change_since_baseline,
            trajectory.target,
            round(actuals.actual - trajectory.target, 6) as gap,
            round({{ days_between("actuals.period_end", "build.built_on") }} / 365.25, 1) as age_years
        from {{ ref("int_ambition_actual") }} as actuals
        cross join {{ source("landed", "build") }} as build
        left join
            {{ ref("int_ambition_actual") }} as baseline
            on actuals.ambition_id = baseline.ambition_id
            and actuals.definition = baseline.definition
            and actuals.geography = baseline.geography
            and actuals.baseline_period = baseline.period
        left join
            {{ ref("ambition_trajectory") }} as trajectory
            on actuals.trajectory_id = trajectory.trajectory_id
            and actuals.year = trajectory.year
            and actuals.follows_trajectory
    )

select
    actuals.ambition_id,
    ambition.ambition_name,
    actuals.definition,
    actuals.geography,
    actuals.period,
    actuals.year::integer as year,
    case when actuals.follows_trajectory then actuals.trajectory_id end as trajectory_id,
    actuals.target,
    actuals.actual::double as actual,
    actuals.gap,
    actuals.gap <= 0 as on_track,
    case
        when actuals.follows_trajectory then {{ years_behind("actuals.year", "actuals.actual", "segment") }}
    end as years_behind,
    actuals.unit,
    actuals.numerator::double as numerator,
    actuals.baseline as baseline_period,
    actuals.baseline_value::double as baseline_value,
    actuals.change_since_baseline::double as change_since_baseline,
    actuals.goal::double as goal,
    actuals.age_years::double as age_years,
    actuals.age_years > {{ ambition_stale_years() }} as is_stale,
    {{ ambition_position("actuals") }} as position,
    headline.ambition_id is not null as is_headline,
    actuals.note,
    ambition.quirk,
    actuals.source_url,
    actuals.is_synthetic,
    actuals.release_key
from compared as actuals
inner join {{ ref("ambition") }} as ambition using (ambition_id)
left join
    headline
    on actuals.ambition_id = headline.ambition_id
    and actuals.definition = headline.definition
    and actuals.geography = headline.geography
-- a rate above the first knot, or below the last, never stood on the trajectory
left join
    {{ ref("int_ambition_segment") }} as segment
    on actuals.trajectory_id = segment.trajectory_id
    and actuals.actual <= segment.knot_target
    and actuals.actual > segment.next_target
order by actuals.ambition_id, actuals.definition, actuals.geography, actuals.year, actuals.period
