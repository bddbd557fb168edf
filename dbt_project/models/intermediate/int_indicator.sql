-- Grain: indicator: the catalogue, and below it what the publishers' own metadata say of indicators outside it.
-- Models of
-- indicators may say from which rows of which release they are made (quality.source_health counts those).
with
    described as (
        select *, 1 as place, null::varchar as release_key, null::bigint as source_row, null::varchar as exclusion_rule
        from {{ ref("indicator") }}
        {% for model in var("indicator_models") %}
            union all by name
            select *, 2 as place
            from {{ ref(model) }}
        {% endfor %}
    )

select
    * exclude (place, source_id, release_key, source_row, exclusion_rule),
    source_id as catalogue_source_id,
    statistic in ('rate', 'proportion', 'count') as can_be_summed
from described
where exclusion_rule is null
qualify row_number() over (partition by indicator_id order by place, source_id) = 1
