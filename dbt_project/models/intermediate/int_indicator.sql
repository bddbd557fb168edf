-- Grain: indicator: the catalogue, and below it what the publishers' own metadata say of indicators outside it.
with
    described as (
        select *, 1 as place
        from {{ ref("indicator") }}
        {% for model in var("indicator_models") %}
            union all by name
            select *, 2 as place
            from {{ ref(model) }}
        {% endfor %}
    )

select
    * exclude (place, source_id),
    source_id as catalogue_source_id,
    statistic in ('rate', 'proportion', 'count') as can_be_summed
from described
qualify row_number() over (partition by indicator_id order by place, source_id) = 1
