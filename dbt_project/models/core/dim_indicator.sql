-- Grain: indicator.
select
    indicator_id,
    indicator_name,
    concept_id,
    definition,
    definition_url,
    statistic,
    unit,
    multiplier,
    polarity,
    numerator_definition,
    denominator_definition,
    ambition_id,
    series_break,
    target,
    target_withdrawn_on,
    programme,
    difference_note,
    catalogue_source_id as source_id,
    publisher
from {{ ref("int_indicator") }}
order by indicator_id
