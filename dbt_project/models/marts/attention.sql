-- Grain: level (trust, lms) × organisation × rank: what stands out about a trust or an LMS, once, the gravest first.
-- Only outcomes with a tier (reference.outcome) whose newest verdict is worse, none older than three years. An LMS's
-- entry
-- names its trusts that are worse; it stands where the LMS is, or any of them (deaths are judged by trust alone).
{% set columns %}
    source_id,
    indicator_id,
    indicator_name,
    concept_id,
    period_label,
    period_start,
    period_end,
    months_covered,
    breakdown,
    breakdown_value,
    value,
    unit,
    adjusted_value,
    comparator_value,
    verdict,
    verdict_basis,
    verdict_level,
    excess,
    is_synthetic,
    release_key
{% endset %}
{% set series %}
    level, organisation_code, source_id, indicator_id, breakdown, breakdown_value,
    {{ period_months("period_start", "period_end") }}
{% endset %}
with
    judged as (
        select
            'trust' as level, trust_code as organisation_code, trust_name as organisation_name, lms_code, {{ columns }}
        from {{ ref("trust_indicator") }}
        where verdict is not null
        union all
        select 'lms', lms_code, lms_name, lms_code, {{ columns }}
        from {{ ref("lms_indicator") }}
        where verdict is not null
    ),

    outcomes as (
        select judged.*, outcome.tier
        from judged
        inner join {{ ref("int_outcome") }} as outcome using (indicator_id, breakdown, breakdown_value)
        where outcome.tier is not null
    ),

    -- a run of verdicts of one word in a series: another word and a gap end it; years and months are lines of their own
    followed as (
        select
            *,
            verdict is not distinct from lag(verdict) over one_series
            and period_start is not distinct from lag(period_end) over one_series + 1 as goes_on
        from outcomes
        window one_series as (partition by {{ series }} order by period_start, period_end)
    ),

    runs as (
        select
            *,
            count(*) filter (where not goes_on) over (
                partition by {{ series }} order by period_start, period_end rows unbounded preceding
            ) as run
        from followed
    ),

    held as (select *, min(period_start) over (partition by {{ series }}, run) as held_since from runs),

    -- one row a concept: the newest, and of several of a period the publisher's verdict, then the indicator of all
    -- deaths
    newest as (
        select *
        from held
        qualify
            row_number() over (
                partition by level, organisation_code, concept_id
                order by
                    period_end desc,
                    period_start,
                    verdict_basis <> 'publisher',
                    length(indicator_id),
                    indicator_id,
                    source_id
            )
            = 1
    ),

    recent as (
        select *
        from newest
        where verdict = 'worse' and period_end > (select {{ months_later("max(period_end)", -36) }} from newest)
    ),

    trusts_worse as (
        select
            lms_code,
            concept_id,
            array_agg(organisation_name order by organisation_name, organisation_code) as trusts,
            count(excess) = count(*) as is_excess_known,
            {{ exact_sum("excess") }} as excess,
            max(verdict_level is null or verdict_level = '99.8') as is_beyond_998,
            min(held_since) as held_since
        from recent
        where level = 'trust'
        group by all
    ),

    -- an LMS whose trusts are worse though it is not, or is not judged: by the gravest of its trusts
    through_trusts as (
        select
            'lms' as level,
            recent.lms_code as organisation_code,
            lms.lms_name as organisation_name,
            recent.* exclude (level, organisation_code, organisation_name)
        from recent
        inner join {{ ref("dim_lms") }} as lms using (lms_code)
        anti join
            (select lms_code, concept_id from recent where level = 'lms') as own
            on recent.lms_code = own.lms_code
            and recent.concept_id = own.concept_id
        where recent.level = 'trust'
        qualify
            row_number() over (
                partition by recent.lms_code, recent.concept_id
                order by recent.verdict_level = '95', recent.excess desc nulls last, recent.organisation_code
            )
            = 1
    ),

    everything as (
        select recent.*, trusts_worse.trusts, false as is_through_trusts
        from recent
        left join
            trusts_worse
            on recent.level = 'lms'
            and recent.lms_code = trusts_worse.lms_code
            and recent.concept_id = trusts_worse.concept_id
        union all by name
        select
            through_trusts.* replace (
                null::double as value,
                null::double as adjusted_value,
                case when trusts_worse.is_excess_known then trusts_worse.excess end as excess,
                case when trusts_worse.is_beyond_998 then '99.8' else '95' end as verdict_level,
                trusts_worse.held_since as held_since
            ),
            trusts_worse.trusts,
            true as is_through_trusts
        from through_trusts
        inner join trusts_worse using (lms_code, concept_id)
    )

select
    level,
    organisation_code,
    organisation_name,
    lms_code,
    (
        row_number() over (
            partition by level, organisation_code
            order by
                case tier when 'death' then 1 when 'harm' then 2 when 'outcome' then 3 else 4 end,
                coalesce(verdict_level, '99.8') desc,
                excess desc nulls last,
                held_since,
                concept_id
        )
    )::integer as rank,
    tier,
    concept_id,
    source_id,
    indicator_id,
    indicator_name,
    breakdown_value,
    period_label,
    period_start,
    period_end,
    months_covered,
    value,
    unit,
    comparator_value,
    verdict,
    verdict_basis,
    case when verdict_basis <> 'publisher' then verdict_level end as verdict_level,
    excess,
    held_since,
    null::boolean as is_new,
    trusts,
    {{ why_it_stands_out() }} as why,
    is_synthetic,
    release_key
from everything
order by level, organisation_code, rank
