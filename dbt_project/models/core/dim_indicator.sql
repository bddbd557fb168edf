-- Grain: indicator.
select
    indicator_id,
    indicator_name,
    concept_id,
    definition,
    statistic,
    unit,
    multiplier,
    polarity,
    numerator_definition,
    denominator_definition,
    ambition_id,
    series_break,
    target,
    programme,
    difference_note,
    catalogue_source_id as source_id
from {{ ref("int_indicator") }}
order by indicator_id
