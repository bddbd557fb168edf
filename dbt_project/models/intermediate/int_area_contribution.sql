-- Grain: observation of an upper-tier local authority × cell: what each part of the country has to give to the sums
-- over
-- LMSs, regions and England (int_area_rollup).
--
-- Where authorities of two years' boundaries cover the same ground for one key, those of the newer release (then the
-- newer
-- authority) count and the others are left out whole, so nothing counts twice. Where the publisher gives one value
-- for two
-- authorities together under both codes, it counts once and covers both.
with
    {% set keys = "source_id, indicator_id, period_label, period_start, period_end, breakdown, breakdown_value" %}

    reported as (
        select observation.*, release.precedence
        from {{ ref("int_observation") }} as observation
        inner join {{ ref("int_release") }} as release using (release_key)
        inner join
            {{ ref("int_indicator") }} as indicator
            on observation.indicator_id = indicator.indicator_id
            and indicator.can_be_summed
        where
            observation.level = 'utla'
            and observation.exclusion_rule is null
            and observation.audience = 'public'
            and not coalesce(observation.is_published_value_kept and not observation.is_suppressed, false)
            and (observation.is_suppressed or (observation.numerator is not null and observation.denominator > 0))
    ),

    repeated as (
        select reported.*, coalesce(partner.organisation_code is not null, false) as is_counted_elsewhere
        from reported
        left join {{ ref("combined_area") }} as combined on reported.organisation_code = combined.area_code
        left join
            reported as partner
            on combined.combined_with = partner.organisation_code
            and reported.numerator = partner.numerator
            and reported.denominator = partner.denominator
            {% for key in keys.split(", ") %} and reported.{{ key }} = partner.{{ key }} {% endfor %}
    ),

    placed as (
        select
            repeated.*,
            cell.cell,
            cell.utla21_code,
            cell.lms_code,
            cell.region_code,
            cell.lsoas,
            cell.area_lsoas,
            cell.is_by_name,
            row_number() over (
                partition by {% for key in keys.split(", ") %} repeated.{{ key }}, {% endfor %} cell.cell
                order by repeated.precedence desc, repeated.organisation_code desc
            ) as place
        from repeated
        inner join {{ ref("int_area_cell") }} as cell on repeated.organisation_code = cell.area_code
    )

select *, case when is_counted_elsewhere then 0 else lsoas / area_lsoas end as share
from placed
qualify max(place) over (partition by release_key, source_row) = 1
