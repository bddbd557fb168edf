-- Grain: indicator in the landed values: what is known of it, from the newest landed metadata, else from the reference
-- seed, else from the rows themselves (then without unit, and values stay as published).
with
    newest as (
        select metadata.*
        from {{ source("landed", "fingertips__metadata") }} as metadata
        inner join {{ ref("int_release") }} as release using (release_key)
        qualify row_number() over (partition by metadata.indicator_id order by release.precedence desc, source_row) = 1
    ),

    described as (
        select
            headline.indicator_id as publisher_indicator,
            coalesce(mapping.indicator_id, 'fingertips_' || headline.indicator_id) as indicator_id,
            mapping.indicator_id as mapped_id,
            coalesce(
                trim({{ replace_matches("newest.indicator_name", "'\\s+'", "' '") }}),
                known.name,
                headline.indicator_name
            ) as indicator_name,
            trim({{ replace_matches("newest.definition", "'</?[A-Za-z][^>]*>'", "' '") }}) as definition,
            newest.numerator_definition,
            newest.denominator_definition,
            coalesce(newest.unit, known.unit, '') as unit,
            coalesce(
                newest.unit_value,
                if(coalesce(newest.unit, known.unit) = '%', 100, null),
                try_cast(
                    replace({{ first_match("coalesce(newest.unit, known.unit)", "'[0-9][0-9,]*'") }}, ',', '') as double
                )
            ) as multiplier,
            coalesce(newest.value_type, known.value_type) as value_type,
            coalesce(newest.ci_method, known.ci_method) as ci_method,
            coalesce(newest.year_type, known.year_type, 'Calendar') as year_type,
            case
                when lower(newest.polarity) like '%high is good%'
                then 'high'
                when lower(newest.polarity) like '%low is good%'
                then 'low'
                else headline.polarity
            end as polarity,
            headline.headline_sex,
            headline.headline_age,
            newest.release_key,
            newest.source_row
        from {{ ref("base_fingertips__headline") }} as headline
        left join newest using (indicator_id)
        left join {{ ref("fingertips_indicator") }} as known using (indicator_id)
        left join
            {{ ref("indicator_source_map_fingertips") }} as mapping
            on mapping.source_id = 'fingertips'
            and mapping.publisher_indicator = headline.indicator_id::varchar
    )

select
    *,
    case
        when value_type in ('Proportion', 'Crude rate', 'Percentage point') and lower(ci_method) like 'wilson%'
        then 'proportion'
        when value_type = 'Proportion'
        then 'proportion'
        when value_type = 'Crude rate'
        then 'rate'
        else coalesce(lower(replace(value_type, ' ', '_')), 'unknown')
    end as statistic
from described
