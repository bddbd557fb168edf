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
        select release_key, source_row, source_row_count, exclusion_rule, period_end, null::date as published_on
        from {{ ref("int_observation") }}
        union all
        select release_key, source_row, source_row_count, exclusion_rule, null, published_on
        from {{ ref("int_finding") }}
        union all
        select release_key, source_row, 1, exclusion_rule, null, said_on
        from {{ ref("int_annotation") }}
        union all
        select release_key, source_row, 1, exclusion_rule, null, null
        from described
        where release_key is not null
    ),

    rows_seen as (
        select
            release_key,
            source_row,
            max(coalesce(source_row_count, 1)) as file_rows,
            bool_or(exclusion_rule is null) as in_mart,
            max(period_end) as period_end,
            max(published_on) as published_on
        from made_of_rows
        group by release_key, source_row
    ),

    counted as (
        select
            release_key,
            coalesce(sum(file_rows) filter (where in_mart), 0) as rows_mart,
            coalesce(sum(file_rows) filter (where not in_mart), 0) as rows_excluded,
            max(period_end) as latest_period_end,
            max(published_on) as latest_document
        from rows_seen
        group by release_key
    ),

    -- the newest figures of a dataset say when more are due, whatever day a file was landed; a document has no period,
    -- and none but its own day of publication counts
    due as (
        select
            release.*,
            (
                max(
                    coalesce(
                        counted.latest_period_end + release.lag_days, counted.latest_document, release.published_on
                    )
                ) over (partition by release.source_id, release.dataset)
                + release.cadence_days
            )::date as next_due
        from {{ ref("int_release") }} as release
        left join counted using (release_key)
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
    release.is_synthetic,
    release.next_due,
    (release.next_due + release.grace_days + 1)::date as late_from
from due as release
left join counted using (release_key)
order by release.release_key
