-- Grain: indicator: the catalogue, and below it what the publishers' own metadata say of indicators outside it,
-- with the programmes each serves and its target for all women. Models of indicators may say from which rows of
-- which release they are made (quality.source_health counts those).
with
    described as (
        select
            *,
            1 as precedence,
            null::varchar as release_key,
            null::bigint as source_row,
            null::varchar as exclusion_rule
        from {{ ref("indicator") }}
        {% for model in var("indicator_models") %}
            union all by name
            select *, 2 as precedence
            from {{ ref(model) }}
        {% endfor %}
    ),

    single as (
        select *
        from described
        where exclusion_rule is null
        qualify row_number() over (partition by indicator_id order by precedence, source_id) = 1
    ),

    programmes as (
        select
            single.indicator_id,
            {{ dbt.listagg("distinct programme.programme", "'; '", "order by programme.programme") }} as programme
        from single
        inner join
            {{ ref("indicator_programme") }} as programme
            on {{ matches_whole("single.indicator_id", "programme.pattern") }}
        group by single.indicator_id
    )

select
    single.* exclude (precedence, source_id, release_key, source_row, exclusion_rule, is_death, is_harm),
    coalesce(single.is_death, false) as is_death,
    coalesce(single.is_harm, false) as is_harm,
    -- deaths are judged by their publisher alone, whatever the publisher calls them
    coalesce(single.is_death, false)
    or {{ matches("lower(single.indicator_name)", "'mortality|stillb|death|died'") }} as is_mortality,
    single.source_id as catalogue_source_id,
    single.statistic in ('rate', 'proportion', 'count') as can_be_summed,
    programmes.programme,
    case when target.withdrawn_on is null then target.target end as target,
    target.withdrawn_on as target_withdrawn_on
from single
left join programmes using (indicator_id)
left join
    {{ ref("indicator_target") }} as target
    on single.indicator_id = target.indicator_id
    and target.breakdown = 'all'
    and target.breakdown_value = 'all'
