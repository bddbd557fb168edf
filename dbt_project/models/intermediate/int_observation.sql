-- Grain: one row an observation of a landed release, superseded ones included: those that this build makes and those
-- that are kept from earlier ones, with the exclusion rule named. Does not ship: it still holds what
-- disclosure removes.
{{ config(materialized="table") }}
with
    known as (
        select
            observation.* exclude (published_place),
            release.is_superseded,
            release.is_synthetic,
            warned.source_row is not null as has_arrival_warning,
            release.status = 'provisional' as is_provisional,
            release.audience,
            correction.source_row is not null as is_corrected,
            coalesce(observation.country, 'England') not in ('England', 'unknown') as is_outside_england,
            coalesce(
                observation.release_key <> standing.release_key or observation.source_row <> standing.source_row, false
            ) as is_superseded_row
        from {{ ref("int_resolved_observation") }} as observation
        inner join {{ ref("int_release") }} as release on observation.release_key = release.release_key
        left join
            {{ ref("int_first_observation") }} as standing
            on {% for column in observation_identity() + ["exclusion_rule"] %}
                observation.{{ column }} is not distinct from standing.{{ column }} {{ "and" if not loop.last }}
            {% endfor %}
        left join
            (
                select distinct release_key, source_row from {{ source("landed", "correction") }} where is_applied
            ) as correction
            on observation.release_key = correction.release_key
            and observation.source_row = correction.source_row
        left join
            (select distinct release_key, source_row from {{ source("landed", "row_warning") }}) as warned
            on observation.release_key = warned.release_key
            and observation.source_row = warned.source_row
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
                when is_superseded_row
                then 'superseded_row'
                when is_outside_england
                then 'outside_england'
                when level = 'trust' and is_not_an_nhs_trust
                then 'not_an_nhs_trust'
                when level = 'trust' and organisation_code is null
                then 'unknown_organisation'
            end as own_exclusion_rule
        from known
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
