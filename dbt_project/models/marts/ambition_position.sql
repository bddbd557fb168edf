-- Grain: indicator × level × organisation × period × source: each trust, LMS and region against the national
-- trajectory of the same definition, where a source gives an indicator of the ambition (MBRRACE-UK counts births at 24
-- weeks or later, and so stands beside DHSC's trajectory of those). The trajectory is England's, in the indicator's
-- unit (6% is 60 per 1,000): an organisation's position is a way to look, not a target that was set for it. Where the
-- publisher adjusts a trust's rate for the women and babies that it cares for, the position rests on that rate alone:
-- a unit with intensive care is not above the trajectory for taking the smallest babies. An incomplete sum is below or
-- above where the interval's end of the greatest or the least count that the public figures allow is, as for others.
with
    measured as (
        select distinct
            indicator.indicator_id,
            indicator.ambition_id,
            definition.trajectory_id,
            indicator.ambition_note,
            indicator.multiplier / {{ unit_multiplier("ambition.unit") }} as scale
        from {{ ref("int_indicator") }} as indicator
        inner join {{ ref("ambition") }} as ambition using (ambition_id)
        inner join {{ ref("ambition_definition") }} as definition using (indicator_id, ambition_id)
    ),

    trajectories as (
        select measured.*, trajectory.year, round(trajectory.target * scale, 6) as target
        from measured
        inner join {{ ref("ambition_trajectory") }} as trajectory using (trajectory_id, ambition_id)
    ),

    segments as (
        select
            measured.indicator_id,
            segment.* replace (segment.knot_target * scale as knot_target, segment.next_target * scale as next_target)
        from measured
        inner join {{ ref("int_ambition_segment") }} as segment using (trajectory_id, ambition_id)
    ),

    given as (
        select
            'trust' as level,
            trust_code as organisation_code,
            trust_name as organisation_name,
            lms_code,
            region_code,
            true as is_complete,
            null::double as value_min,
            null::double as value_max,
            * exclude (trust_code, trust_name, lms_code, lms_name, region_code, region_name)
        from {{ ref("trust_indicator") }}
        union all by name
        select 'lms' as level, lms_code as organisation_code, lms_name as organisation_name, *
        from {{ ref("lms_indicator") }}
        union all by name
        select 'region' as level, region_code as organisation_code, region_name as organisation_name, *
        from {{ ref("region_indicator") }}
    ),

    -- which rate a position rests on: publishers adjust rates of trusts, and adjusted rates are not summed
    based as (
        select
            *,
            case
                when bool_or(adjusted_value is not null) over (partition by indicator_id, source_id)
                then if(level = 'trust', 'adjusted', 'not adjusted')
                else 'published'
            end as basis
        from given
    ),

    positions as (
        select
            * replace (
                if(basis = 'adjusted', adjusted_value, value) as value,
                if(basis = 'adjusted', adjusted_lower_95, lower_95) as lower_95,
                if(basis = 'adjusted', adjusted_upper_95, upper_95) as upper_95
            )
        from based
    )

select
    trajectory.ambition_id,
    trajectory.trajectory_id,
    positions.level,
    positions.organisation_code,
    positions.organisation_name,
    positions.lms_code,
    positions.region_code,
    positions.indicator_id,
    positions.source_id,
    positions.period_label,
    positions.period_start,
    positions.period_end,
    extract(year from positions.period_end)::integer as year,
    positions.value,
    positions.lower_95,
    positions.upper_95,
    positions.value_min,
    positions.value_max,
    trajectory.target,
    round(positions.value - trajectory.target, 6) as gap,
    case
        when coalesce(positions.upper_95, bounds.bound_upper_95) <= trajectory.target
        then 'below'
        when coalesce(positions.lower_95, bounds.bound_lower_95) > trajectory.target
        then 'above'
        when positions.value is not null
        then 'not distinguishable'
    end as position,
    {{ years_behind("extract(year from positions.period_end)", "positions.value", "segment") }} as years_behind,
    positions.unit,
    positions.is_complete,
    positions.basis,
    concat_ws(
        '. ',
        trajectory.ambition_note,
        case
            positions.basis
            when 'adjusted'
            then 'Stabilised and adjusted rate of the publisher, with its interval'
            when 'not adjusted'
            then 'Sum of trusts, not adjusted for the women and babies that they care for'
        end
    ) as definition_note,
    positions.usage_warnings,
    positions.release_key
from positions
inner join
    trajectories as trajectory
    on positions.indicator_id = trajectory.indicator_id
    and extract(year from positions.period_end) = trajectory.year
left join
    {{ ref("int_area_value") }} as bounds
    on positions.level = bounds.level
    and positions.organisation_code = bounds.area_code
    and positions.source_id = bounds.source_id
    and positions.indicator_id = bounds.indicator_id
    and positions.period_start = bounds.period_start
    and positions.period_end = bounds.period_end
    and positions.breakdown = bounds.breakdown
    and positions.breakdown_value = bounds.breakdown_value
left join
    segments as segment
    on positions.indicator_id = segment.indicator_id
    and positions.value <= segment.knot_target
    and positions.value > segment.next_target
where positions.breakdown = 'all'
order by
    trajectory.ambition_id,
    positions.indicator_id,
    positions.source_id,
    positions.level,
    positions.organisation_code,
    positions.period_start
