-- Grain: theme × linked indicator × source: where the numbers stand in the newest period of that source. Links are
-- this project's judgement (reference.theme_indicator_link); a number beside a theme explains nothing by itself.
create or replace table marts.theme_indicator as
with
    linked as (select distinct indicator_id from reference.theme_indicator_link),

    trusts as (
        select indicator_id, source_id, verdict, is_synthetic
        from marts.trust_indicator
        semi join linked using (indicator_id)
        where breakdown = 'all'
        qualify
            dense_rank() over (partition by indicator_id, source_id order by period_end desc, period_start) = 1
    ),

    compared as (
        select
            indicator_id,
            source_id,
            count(verdict)::integer as trusts_compared,
            count(*) filter (verdict = 'worse')::integer as trusts_worse,
            count(*) filter (verdict = 'better')::integer as trusts_better,
            bool_or(is_synthetic) as is_synthetic
        from trusts
        group by all
    ),

    systems as (
        select indicator_id, source_id, value
        from marts.lms_indicator
        semi join linked using (indicator_id)
        where breakdown = 'all'
        qualify
            dense_rank() over (partition by indicator_id, source_id order by period_end desc, period_start) = 1
    ),

    spread as (
        select
            indicator_id,
            source_id,
            count(*)::integer as lms_listed,
            count(value)::integer as lms_with_value,
            min(value) as lms_lowest,
            max(value) as lms_highest
        from systems
        group by all
    ),

    england as (
        select
            indicator_id, source_id, indicator_name, period_label, period_end, months_covered, value, unit,
            recent_trend, is_synthetic, release_key
        from marts.england_indicator
        semi join linked using (indicator_id)
        where breakdown = 'all'
        qualify row_number() over (partition by indicator_id, source_id order by period_end desc, period_start) = 1
    ),

    latest_signals as (
        select indicator_id, source_id, organisation_code, point_type, cusum_signal
        from marts.signal
        semi join linked using (indicator_id)
        where level = 'trust'
        qualify
            row_number() over (partition by indicator_id, source_id, organisation_code order by period_end desc) = 1
    ),

    signalling as (
        select
            indicator_id,
            source_id,
            count(*) filter (point_type = 'special_cause_concern' or cusum_signal is not null)::integer
                as trusts_signalling
        from latest_signals
        group by all
    ),

    present as (
        select indicator_id, source_id from compared
        union
        select indicator_id, source_id from england
    ),

    -- who stands out by it, once for each concept (marts.attention): of several indicators of a concept one is judged
    standing_out as (
        select
            concept_id,
            count(*) filter (level = 'trust')::integer as trusts_standing_out,
            count(*) filter (level = 'lms')::integer as lms_standing_out
        from marts.attention
        group by concept_id
    ),

    indicator as (select indicator_id, indicator_name, concept_id, polarity, unit from core.dim_indicator)

select
    link.theme_id,
    link.indicator_id,
    present.source_id,
    indicator.indicator_name,
    indicator.concept_id,
    indicator.polarity,
    indicator.unit,
    link.link,
    link.status as link_status,
    link.note as link_note,
    england.period_label,
    england.period_end,
    england.months_covered,
    england.value as england_value,
    england.recent_trend as england_trend,
    coalesce(compared.trusts_compared, 0) as trusts_compared,
    coalesce(compared.trusts_worse, 0) as trusts_worse,
    coalesce(compared.trusts_better, 0) as trusts_better,
    coalesce(standing_out.trusts_standing_out, 0) as trusts_standing_out,
    coalesce(standing_out.lms_standing_out, 0) as lms_standing_out,
    coalesce(spread.lms_listed, 0) as lms_listed,
    coalesce(spread.lms_with_value, 0) as lms_with_value,
    spread.lms_lowest,
    spread.lms_highest,
    signalling.trusts_signalling,
    coalesce(england.is_synthetic, false) or coalesce(compared.is_synthetic, false) as is_synthetic,
    england.release_key
from reference.theme_indicator_link as link
inner join present using (indicator_id)
inner join indicator using (indicator_id)
left join standing_out using (concept_id)
left join compared using (indicator_id, source_id)
left join spread using (indicator_id, source_id)
left join england using (indicator_id, source_id)
left join signalling using (indicator_id, source_id)
order by link.theme_id, link.indicator_id, present.source_id
;
