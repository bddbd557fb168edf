-- Grain: indicator of this publisher that is not in the catalogue, in the columns of the seed indicator.csv.
with
    outside as (
        select *, replace(indicator_id, 'hes_', 'msds_') as ruled_id
        from {{ ref("base_msds__name") }}
        anti join {{ ref("indicator") }} as catalogue using (indicator_id)
        qualify row_number() over (partition by indicator_id order by breakdown = 'all' desc, publisher_indicator) = 1
    )

select
    indicator_id,
    -- names and concepts may take parts of the id: \1, \2
    coalesce({{ replace_matches("ruled_id", "'^(?:' || pattern || ')$'", "indicator_name") }}, publisher_indicator)
    || if(source_id = 'hes', ' (Hospital Episode Statistics)', '') as indicator_name,
    coalesce({{ replace_matches("ruled_id", "'^(?:' || pattern || ')$'", "concept_id") }}, indicator_id) as concept_id,
    coalesce(definition || '. ', '')
    || if(source_id = 'hes', 'Hospital Episode Statistics: ', 'Maternity Services Data Set: ')
    || publisher_indicator
    || coalesce(' (' || counted || ')', '') as definition,
    coalesce(
        definition_url,
        'https://digital.nhs.uk/data-and-information/publications/statistical/maternity-services-monthly-statistics'
    ) as definition_url,
    statistic,
    coalesce(
        unit, case when kind in ('average', 'total') then counted when multiplier = 1000 then 'per 1,000' else '%' end
    ) as unit,
    multiplier,
    coalesce(polarity, 'none') as polarity,
    numerator_definition,
    denominator_definition,
    null::varchar as ambition_id,
    series_break,
    source_id
from outside
