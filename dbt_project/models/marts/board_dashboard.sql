-- Grain: trust × measure × indicator × source: the least that a board should see by the 2020 guide, with each
-- indicator's newest period; a measure that no public source reports for the trust stands blank with the reason.
with
    {{ board_measures(ref("trust_indicator")) }},

    today as (
        select code as trust_code, name as trust_name, lms_code
        from {{ ref("dim_organisation") }}
        where
            level = 'trust'
            and valid_to = date '9999-12-31'
            -- open at the newest period; with no value at all, never closed
            and coalesce(closed_on, date '9999-12-31')
            > coalesce((select max(period_end) from newest), date '9999-12-30')
            and lms_code is not null
    ),

    reported as (
        select
            newest.* exclude (programme_target),
            coalesce(position.target, newest.programme_target) as target,
            position.position
        from newest
        left join
            {{ ref("ambition_position") }} as position
            on position.level = 'trust'
            and newest.trust_code = position.organisation_code
            and newest.indicator_id = position.indicator_id
            and newest.source_id = position.source_id
            and newest.period_start = position.period_start
            and newest.period_end = position.period_end
    ),

    blanks as (
        select distinct
            today.trust_code,
            today.trust_name,
            today.lms_code,
            measures.measure_id,
            measures.measure,
            measures.place,
            measures.reason_where_blank as reason_blank,
            {{ warnings() }} as usage_warnings
        from today
        cross join measures
        anti join reported using (trust_code, measure_id)
    ),

    everything as (
        select *
        from reported
        union all by name
        select *
        from blanks
    )

select
    trust_code,
    trust_name,
    lms_code,
    measure_id,
    measure,
    place,
    {{ board_values() }},
    target,
    position,
    reason_blank,
    usage_warnings,
    release_key
from everything
order by trust_code, place, measure_id, indicator_id, source_id
