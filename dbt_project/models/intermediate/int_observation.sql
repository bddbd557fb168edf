-- Grain: one row an observation of a landed release, superseded ones included: those that this build makes and those
-- that are kept from earlier ones, with the exclusion rule named. Does not ship: it still holds what
-- disclosure removes.
{{ config(materialized="table") }}
with
    published as (
        select *
        from {{ ref("int_made_observation") }}
        union all by name
        select *
        from {{ source("landed", "kept_observation") }}
    ),

    -- what the publisher prints on another scale than ours
    scaled as (
        select
            published.* exclude (publisher_multiplier) replace (
                case
                    when publisher_multiplier is null or indicator.multiplier is null
                    then publisher_value
                    else publisher_value * indicator.multiplier / publisher_multiplier
                end as publisher_value
            ),
            indicator.statistic,
            indicator.multiplier
        from published
        left join {{ ref("int_indicator") }} as indicator using (indicator_id)
    ),

    judged as (
        select
            * exclude (statistic, multiplier),
            coalesce(
                statistic in ('rate', 'proportion')
                and (
                    coalesce(numerator < 0, false)
                    or coalesce(denominator < 0, false)
                    or coalesce(publisher_value < 0, false)
                    or (
                        statistic = 'proportion'
                        and (coalesce(numerator > denominator, false) or coalesce(publisher_value > multiplier, false))
                    )
                ),
                false
            ) as is_impossible
        from scaled
    ),

    -- what cannot be ships as no number, whatever else is said of it
    resolved as (
        select
            * replace (
                {% for number in [
                    "numerator",
                    "denominator",
                    "publisher_value",
                    "publisher_lower_95",
                    "publisher_upper_95",
                    "publisher_lower_998",
                    "publisher_upper_998",
                    "least_numerator",
                    "least_denominator",
                    "greatest_numerator",
                    "greatest_denominator",
                ] %}
                    case when not is_impossible then {{ number }} end as {{ number }},
                {% endfor %}
                case
                    when is_impossible then coalesce(exclusion_rule, 'impossible_value') else exclusion_rule
                end as exclusion_rule
            )
        from judged
    ),

    ranked as (
        select
            resolved.*,
            release.is_superseded,
            release.is_synthetic,
            warned.source_row is not null as has_arrival_warning,
            release.status = 'provisional' as is_provisional,
            release.audience,
            correction.source_row is not null as is_corrected,
            coalesce(resolved.country, 'England') not in ('England', 'unknown') as is_outside_england,
            row_number() over (
                partition by
                    resolved.source_id,
                    resolved.indicator_id,
                    resolved.level,
                    coalesce(resolved.published_code, resolved.published_name),
                    resolved.period_start,
                    resolved.period_end,
                    resolved.breakdown,
                    resolved.breakdown_value,
                    resolved.publisher_status,
                    -- a superseded release does not take part; its rows are ranked among themselves
                    release.is_superseded,
                    resolved.exclusion_rule
                -- the file with the newer period first, then the newer publication
                order by resolved.content_until desc nulls last, release.precedence desc, resolved.source_row
            ) as row_rank
        from resolved
        inner join {{ ref("int_release") }} as release using (release_key)
        left join
            (
                select distinct release_key, source_row from {{ source("landed", "correction") }} where is_applied
            ) as correction
            on resolved.release_key = correction.release_key
            and resolved.source_row = correction.source_row
        left join
            (select distinct release_key, source_row from {{ source("landed", "row_warning") }}) as warned
            on resolved.release_key = warned.release_key
            and resolved.source_row = warned.source_row
    ),

    ruled as (
        select
            * exclude (exclusion_rule),
            -- what keeps a row of its own publisher's newest release out of the English marts
            case
                when is_superseded
                then 'superseded_release'
                when exclusion_rule is not null
                then exclusion_rule
                when row_rank > 1
                then 'superseded_row'
                when is_outside_england
                then 'outside_england'
                when level = 'trust' and is_not_an_nhs_trust
                then 'not_an_nhs_trust'
                when level = 'trust' and organisation_code is null
                then 'unknown_organisation'
            end as own_exclusion_rule
        from ranked
    )

select
    *,
    -- restricted rows leave the public edition, whatever else applies to them
    case
        when audience = 'public' or own_exclusion_rule like 'superseded%'
        then own_exclusion_rule
        else 'restricted_audience'
    end as exclusion_rule
from ruled
