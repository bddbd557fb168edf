-- Grain: one row a landed release (revision) of this build. `precedence` orders revisions of a release and
-- releases that overlap: final over provisional, then published_on, then fetched_at (SOURCES.md).
select
    release_key,
    source_id,
    dataset,
    release,
    revision,
    status,
    sha256,
    original_name,
    url,
    published_on,
    fetched_at,
    publisher,
    licence,
    audience,
    is_synthetic,
    has_arrival_warning,
    precedence,
    is_superseded
from {{ ref("int_release") }}
order by release_key
