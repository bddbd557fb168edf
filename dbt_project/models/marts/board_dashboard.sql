-- Grain: trust × measure × indicator × source: the least that a board should see by the 2020 guide, with each
-- indicator's newest period; a measure that no public source reports for the trust stands blank with the reason.
with
    measures as (
        select
            measure.measure_id,
            measure.measure,
            measure.place,
            measure.reason_where_blank,
            indicator.indicator_id,
            indicator.target
        from {{ ref("board_measure") }} as measure
        left join
            {{ ref("int_indicator") }} as indicator
            on list_contains(string_split(measure.indicator_ids, '|'), indicator.indicator_id)
            or (measure.ambition_id is not null and measure.ambition_id = indicator.ambition_id)
    ),

    newest as (
        select *
        from {{ ref("trust_indicator") }}
        where breakdown = 'all'
        qualify
            row_number() over (
                partition by trust_code, indicator_id, source_id order by period_end desc, period_start desc
            )
            = 1
    ),

    today as (
        select code as trust_code, name as trust_name, lms_code
        from {{ ref("dim_organisation") }}
        where
            level = 'trust'
            and valid_to = date '9999-12-31'
            and coalesce(closed_on, date '9999-12-31') > (select max(period_end) from newest)
            and lms_code is not null
    ),

    reported as (
        select
            newest.trust_code,
            newest.trust_name,
            newest.lms_code,
            measures.measure_id,
            measures.measure,
            measures.place,
            newest.indicator_id,
            newest.source_id,
            newest.period_label,
            newest.period_start,
            newest.period_end,
            newest.numerator,
            newest.denominator,
            newest.value,
            newest.unit,
            newest.lower_95,
            newest.upper_95,
            newest.comparison,
            newest.recent_trend,
            coalesce(position.target, measures.target) as target,
            position.position,
            case
                when newest.is_suppressed
                then 'masked by the publisher: small numbers'
                when newest.value is null
                then 'the publisher gives no value'
            end as reason_blank,
            newest.usage_warnings,
            newest.release_key
        from newest
        inner join measures using (indicator_id)
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
            []::varchar[] as usage_warnings
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
    place::integer as place,
    indicator_id,
    source_id,
    period_label,
    period_start,
    period_end,
    numerator,
    denominator,
    value,
    unit,
    lower_95,
    upper_95,
    comparison,
    recent_trend,
    target,
    position,
    reason_blank,
    usage_warnings,
    release_key
from everything
order by trust_code, place, measure_id, indicator_id, source_id
