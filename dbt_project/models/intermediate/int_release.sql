-- Grain: one row a landed release (revision), ranked.
select
    *,
    row_number() over (
        order by status = 'final', coalesce(published_on, fetched_at::date), fetched_at, revision, release_key
    ) as precedence,
    scope = 'release'
    and row_number() over (
        partition by source_id, dataset, release
        order by
            status = 'final' desc,
            coalesce(published_on, fetched_at::date) desc,
            fetched_at desc,
            revision desc,
            release_key
    )
    > 1 as is_superseded
from {{ source("landed", "release") }}
