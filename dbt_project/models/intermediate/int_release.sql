-- Grain: one row a landed release (revision), ranked. Files whose rows replace each other one by one (Fingertips) are
-- ranked by their content and its publication alone: when they were landed says nothing of their age, only of the order
-- of revisions of one release. `Manifest.precedence` (ingest/archive/manifest.py) says the same of revisions.
select
    *,
    row_number() over (
        order by
            status = 'final',
            coalesce(published_on, case when scope = 'release' then fetched_at::date end) nulls first,
            case when scope = 'release' then fetched_at end nulls first,
            case when scope = 'row' then dataset end nulls first,
            case when scope = 'row' then release end nulls first,
            fetched_at,
            revision,
            release_key
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
