-- Grain: indicator × level × organisation × period × source, for monthly and quarterly series of at least 12
-- points (one series_id, months and quarters apart; a gap ends runs and moving ranges): XmR chart with special causes
-- and assurance against the indicator's target, and for rare harm the
-- CUSUM for a doubling of England's rate with the excess events beside it. A series that rests on few
-- events has no chart: its ranges are not those of a process about a mean. Rolling windows are left out: their
-- points overlap, so that limits would be too narrow and every event would count several times.
{% set series = ["level", "organisation_code", "source_id", "series_id", "months"] %}
with
    -- no more than the chart is made from: many windows follow, and what names a point comes back at the end
    points as (
        select
            series.source_id,
            series.indicator_id,
            series.series_id,
            series.level,
            series.organisation_code,
            series.period_start,
            series.period_end,
            series.value,
            series.numerator,
            series.denominator,
            {{ has_word("series.usage_warnings", "'implausible'") }} as is_implausible,
            {{ is_unbelievable("series.usage_warnings") }} as is_unbelievable,
            indicator.multiplier,
            indicator.target,
            indicator.is_harm,
            -- months and quarters are separate series
            {{ period_months("series.period_start", "series.period_end") }} as months,
            case
                indicator.polarity when 'low' then 'decrease' when 'high' then 'increase' else 'neutral'
            end as improvement_direction,
            case
                when indicator.statistic = 'proportion'
                then least(series.numerator, series.denominator - series.numerator)
                else series.numerator
            end as events
        from {{ ref("int_indicator_value") }} as series
        inner join {{ ref("int_indicator") }} as indicator using (indicator_id)
        where
            series.breakdown = 'all'
            and series.value is not null
            and not {{ has_word("series.usage_warnings", "'rolling_window'") }}
            and series.period_end between series.period_start + 25 and series.period_start + 92
    ),

    long_enough as (
        select
            *,
            coalesce(period_start = lag(period_end) over one_series + 1, true) as follows,
            coalesce(avg(events) over whole_series < {{ least_events_of_a_chart() }}, false) as is_rare
        from points
        window
            whole_series as (partition by {{ series | join(", ") }}),
            one_series as (partition by {{ series | join(", ") }} order by period_start)
        qualify count(*) over whole_series >= 12
    ),

    charted as (
        select *
        from
            {{
                spc(
                    "(select * from long_enough where not is_rare)",
                    series,
                    "period_start",
                    "value",
                    "improvement_direction",
                    fix_y="case when not is_implausible then value end",
                    follows="follows",
                )
            }}
    ),

    with_rare as (
        select *
        from charted
        union all by name
        select *
        from long_enough
        where is_rare
    ),

    referred as (
        select with_rare.*, england.comparator_value / with_rare.multiplier as reference
        from with_rare
        left join
            {{ ref("int_comparator") }} as england
            on with_rare.source_id = england.source_id
            and with_rare.indicator_id = england.indicator_id
            and with_rare.period_start = england.period_start
            and with_rare.period_end = england.period_end
            and england.breakdown = 'all'
    ),

    -- the Poisson CUSUM is for harm that is rare; the rest has no CUSUM, nor has a value that is not believable
    rare_events as (
        select *
        from referred
        where level <> 'england' and is_harm and reference < 0.2 and denominator is not null and not is_unbelievable
    ),

    summed as (
        select *
        from
            {{
                cusum(
                    "rare_events",
                    series,
                    "period_start",
                    "numerator",
                    "denominator",
                    "reference",
                )
            }}
    )

select
    referred.indicator_id,
    referred.series_id,
    named.indicator_name,
    referred.source_id,
    referred.level,
    referred.organisation_code,
    named.organisation_name,
    named.lms_code,
    named.period_label,
    referred.period_start,
    referred.period_end,
    referred.value,
    named.unit,
    referred.mean_col as process_mean,
    referred.lpl as lower_process_limit,
    referred.upl as upper_process_limit,
    referred.special_cause_type,
    referred.point_type,
    referred.short_group_warning as is_short_series,
    referred.target,
    {{ spc_assurance("referred.improvement_direction", "referred.lpl", "referred.upl", "referred.target") }}
    as assurance,
    summed.cusum,
    summed.cusum_signal,
    summed.cusum_expected as expected_events,
    summed.excess_events,
    named.usage_warnings,
    named.is_synthetic,
    named.release_key
from referred
left join summed using (level, organisation_code, source_id, series_id, period_start, period_end)
inner join
    {{ ref("int_indicator_value") }} as named
    on named.breakdown = 'all'
    and referred.level = named.level
    and referred.organisation_code = named.organisation_code
    and referred.source_id = named.source_id
    and referred.indicator_id = named.indicator_id
    and referred.period_start = named.period_start
    and referred.period_end = named.period_end
order by referred.source_id, referred.indicator_id, referred.level, referred.organisation_code, referred.period_start
