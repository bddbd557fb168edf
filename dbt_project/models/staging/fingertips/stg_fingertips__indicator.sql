-- Grain: indicator in the landed values (in the columns of the seed indicator.csv), and every other row of the landed
-- metadata with the rule that keeps it out of the catalogue.
with
    used as (
        select
            indicator_id,
            indicator_name,
            coalesce(mapped_id, indicator_id) as concept_id,
            definition,
            statistic,
            unit,
            multiplier,
            polarity,
            numerator_definition,
            denominator_definition,
            release_key,
            source_row
        from {{ ref("base_fingertips__indicator") }}
    ),

    unused as (
        select
            'fingertips_' || metadata.indicator_id as indicator_id,
            metadata.release_key,
            metadata.source_row,
            if(known.publisher_indicator is null, 'indicator_without_data', 'superseded_metadata') as exclusion_rule
        from {{ source("landed", "fingertips__metadata") }} as metadata
        left join {{ ref("base_fingertips__indicator") }} as known on metadata.indicator_id = known.publisher_indicator
        anti join used on metadata.release_key = used.release_key and metadata.source_row = used.source_row
    )

select
    *,
    'https://fingertips.phe.org.uk/search/' || replace(indicator_id, 'fingertips_', '') as definition_url,
    null::varchar as ambition_id,
    null::varchar as series_break,
    'fingertips' as source_id,
    null::varchar as exclusion_rule
from used
union all by name
select *, 'fingertips' as source_id
from unused
