-- Grain: ambition × definition × geography × period: the newest release's figure of each, from every release that gives
-- one for England, England and Wales or the UK over a whole year or more. Rows of different definitions never stand in
-- one line; synthetic figures stand beside no published ones.
with
    given as (
        select
            definition.ambition_id,
            definition.definition,
            definition.leads_from,
            definition.baseline_period,
            definition.goal,
            definition.trajectory_id,
            definition.trajectory_for,
            case
                observation.level when 'uk' then 'UK' when 'england_and_wales' then 'England and Wales' else 'England'
            end as geography,
            case
                when definition.period_months = 36
                then
                    extract(year from observation.period_start)::varchar
                    || '-'
                    || right(extract(year from observation.period_end)::varchar, 2)
                else observation.period_label
            end as period,
            -- three years together stand at their middle year
            extract(year from observation.period_end)::integer
            - case when definition.period_months = 36 then 1 else 0 end as year,
            observation.period_end,
            -- a figure that was entered stands as it is printed
            case
                when source.release_key is not null
                then observation.publisher_value
                else coalesce(observation.value, observation.publisher_value)
            end
            * {{ unit_multiplier("ambition.unit") }}
            / indicator.multiplier as actual,
            ambition.unit,
            observation.numerator,
            source.note,
            coalesce(source.source_url, definition.page) as source_url,
            observation.release_key,
            release.is_synthetic,
            release.precedence
        from {{ ref("fct_observation") }} as observation
        inner join {{ ref("int_release") }} as release using (release_key)
        inner join
            {{ ref("ambition_definition") }} as definition
            on observation.indicator_id = definition.indicator_id
            and observation.source_id = definition.source_id
            and {{ months_of("observation.period_start", "observation.period_end") }} = definition.period_months
        inner join {{ ref("ambition") }} as ambition using (ambition_id)
        inner join {{ ref("int_indicator") }} as indicator on observation.indicator_id = indicator.indicator_id
        left join
            {{ ref("base_official_figures__source") }} as source
            on observation.release_key = source.release_key
            and observation.source_row = source.source_row
        where
            observation.level in ('england', 'england_and_wales', 'uk')
            and coalesce(observation.exclusion_rule, 'wider_than_england') = 'wider_than_england'
            and observation.breakdown = 'all'
            and not release.is_synthetic
    )

select *, coalesce(geography = trajectory_for, false) as follows_trajectory
from given
where actual is not null
qualify
    row_number() over (
        partition by ambition_id, definition, geography, period order by precedence desc, source_url, release_key
    )
    = 1
