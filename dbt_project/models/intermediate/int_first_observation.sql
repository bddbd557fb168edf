-- Grain: one row for each observation that more than one row of the releases in use may be: which of them stands. The
-- others of the same source, indicator, organisation, period, category and status are superseded.
{{ config(materialized="table") }}
{% set identity = observation_identity() %}
with
    -- nearly all observations stand once: only those whose hash occurs twice are compared in full
    contested as (
        select {{ row_hash(identity) }} as identity_hash
        from {{ ref("int_resolved_observation") }}
        where release_key in (select release_key from {{ ref("int_release") }} where not is_superseded)
        group by identity_hash
        having count(*) > 1
    ),

    rivals as (
        select {{ identity | join(", ") }}, exclusion_rule, release_key, source_row, content_until
        from {{ ref("int_resolved_observation") }}
        where
            release_key in (select release_key from {{ ref("int_release") }} where not is_superseded)
            and {{ row_hash(identity) }} in (select identity_hash from contested)
    )

select rivals.* exclude (content_until)
from rivals
inner join {{ ref("int_release") }} as release using (release_key)
qualify
    row_number() over (
        -- rows that another rule excludes are ranked among themselves
        partition by {% for column in identity %} rivals.{{ column }}, {% endfor %} exclusion_rule
        -- the file with the newer period first, then the newer publication
        order by rivals.content_until desc nulls last, release.precedence desc, rivals.source_row
    )
    = 1
