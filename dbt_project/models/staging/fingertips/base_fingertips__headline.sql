-- Grain: indicator in the landed values: the sex and the age band that its headline rows are about, the newest
-- name, and which direction the publisher calls better.
--
-- The headline sex is the only one there is, or Persons. The headline age is the only one, All ages, or the one
-- band that holds all others; where there is none, every row is a row by age.
with
    published as (
        select
            indicator_id,
            sex,
            age,
            trim({{ replace_matches("indicator_name", "'\\s+'", "' '") }}) as indicator_name,
            value,
            recent_trend,
            compared_to_england,
            release.precedence,
            source_row
        from {{ source("landed", "fingertips__data") }}
        inner join {{ ref("int_release") }} as release using (release_key)
    ),

    sexes as (
        select indicator_id, if(count(distinct sex) = 1, any_value(sex), max(sex) filter (where sex = 'Persons')) as sex
        from published
        group by indicator_id
    ),

    bands as (
        select distinct indicator_id, age, {{ age_from("age") }} as age_from, {{ age_to("age") }} as age_to
        from published
    ),

    spans as (
        select
            *,
            min(age_from) over each_indicator as least,
            max(age_to) over each_indicator as greatest,
            bool_and(age_from is not null and age_to is not null) over each_indicator as all_known,
            count(*) over each_indicator as ages
        from bands
        window each_indicator as (partition by indicator_id)
    ),

    ages as (
        select
            indicator_id,
            min(age) filter (
                where ages = 1 or lower(age) = 'all ages' or (all_known and age_from = least and age_to = greatest)
            ) as age
        from spans
        group by indicator_id
    ),

    names as (
        select indicator_id, max_by(indicator_name, precedence) as indicator_name
        from
            (
                select indicator_id, precedence, min_by(indicator_name, source_row) as indicator_name
                from published
                group by indicator_id, precedence
            ) as by_release
        group by indicator_id
    ),

    directions as (
        select
            indicator_id,
            count(*) filter (
                where recent_trend in ('Increasing and getting better', 'Decreasing and getting worse')
            ) as high_trends,
            count(*) filter (
                where recent_trend in ('Increasing and getting worse', 'Decreasing and getting better')
            ) as low_trends,
            avg(value) filter (where compared_to_england = 'Better')
            - avg(value) filter (where compared_to_england = 'Worse') as better_less_worse
        from published
        group by indicator_id
    )

select
    indicator_id,
    names.indicator_name,
    sexes.sex as headline_sex,
    ages.age as headline_age,
    case
        when high_trends <> low_trends
        then if(high_trends > low_trends, 'high', 'low')
        when better_less_worse <> 0
        then if(better_less_worse > 0, 'high', 'low')
        else 'none'
    end as polarity
from directions
inner join names using (indicator_id)
inner join sexes using (indicator_id)
inner join ages using (indicator_id)
