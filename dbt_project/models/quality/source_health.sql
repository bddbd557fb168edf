-- Grain: one row a landed release of this build, counted in rows of the publisher's file: a row is in a mart
-- when any observation or finding made from it is; rows_in is the sum of the other three (a gate blocks when it
-- is not).
with
    -- rows of a publisher's metadata: they come into the catalogue, or a rule keeps them out
    described as (
        select null::varchar as release_key, null::bigint as source_row, null::varchar as exclusion_rule
        where false
        {% for model in var("indicator_models") %}
            union all by name
            select *
            from {{ ref(model) }}
        {% endfor %}
    ),

    made_of_rows as (
        select release_key, source_row, source_row_count, exclusion_rule, period_end
        from {{ ref("int_observation") }}
        union all
        select release_key, source_row, source_row_count, exclusion_rule, null
        from {{ ref("int_finding") }}
        union all
        select release_key, source_row, 1, exclusion_rule, null
        from described
        where release_key is not null
    ),

    rows_seen as (
        select
            release_key,
            source_row,
            max(coalesce(source_row_count, 1)) as file_rows,
            bool_or(exclusion_rule is null) as in_mart,
            max(period_end) as period_end
        from made_of_rows
        group by release_key, source_row
    ),

    counted as (
        select
            release_key,
            coalesce(sum(file_rows) filter (where in_mart), 0) as rows_mart,
            coalesce(sum(file_rows) filter (where not in_mart), 0) as rows_excluded,
            max(period_end) as latest_period_end
        from rows_seen
        group by release_key
    ),

    due as (
        select *, (coalesce(published_on, fetched_at::date) + cadence_days)::date as next_due
        from {{ ref("int_release") }}
    )

select
    release.source_id,
    release.dataset,
    release.release_key,
    release.rows_in::bigint as rows_in,
    coalesce(counted.rows_mart, 0)::bigint as rows_mart,
    release.rows_quarantined::bigint as rows_quarantined,
    coalesce(counted.rows_excluded, 0)::bigint as rows_excluded,
    counted.latest_period_end,
    release.published_on,
    release.next_due,
    -- the first day after the part of the cadence that may pass: the same rule as perinatal/freshness.py
    (release.next_due + floor({{ var("late_after") }} * release.cadence_days)::integer + 1)::date as late_from
from due as release
left join counted using (release_key)
order by release.release_key
