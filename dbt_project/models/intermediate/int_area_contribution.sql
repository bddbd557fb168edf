-- Grain: observation of an upper-tier local authority × cell: what each part of the country has to give to the
-- sums over LMSs, regions and England (int_area_rollup).
--
-- Where authorities of two years' boundaries cover the same ground for one key, those of the newer release (then
-- the newer authority) count and the others are left out whole, so nothing counts twice. Where the publisher
-- gives one value for two authorities together (under both codes, or under one and blank under the other), it
-- counts once and covers both.
{% set keys = (
    "source_id, indicator_id, series_id, period_label, period_start, period_end, breakdown, breakdown_value"
) %}
with
    -- no more than sums need: a local authority has many rows, and all of them are held while they are placed
    reported as (
        select
            observation.release_key,
            observation.source_row,
            {% for key in keys.split(", ") %} observation.{{ key }}, {% endfor %}
            observation.organisation_code,
            observation.numerator,
            observation.denominator,
            observation.is_suppressed,
            observation.is_synthetic,
            observation.is_provisional,
            observation.has_arrival_warning,
            observation.usage_warnings,
            observation.content_until,
            release.precedence
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
            and (
                observation.is_suppressed
                or (
                    observation.numerator is not null
                    and observation.denominator > 0
                    and not coalesce(observation.is_published_value_kept, false)
                )
            )
    ),

    combined as (
        select whole.*, pair.area_code as other_code
        from reported as whole
        inner join {{ ref("combined_area") }} as pair on whole.organisation_code = pair.combined_with
        left join
            reported as other on pair.area_code = other.organisation_code
            {% for key in keys.split(", ") %} and whole.{{ key }} = other.{{ key }} {% endfor %}
        where
            {{ has_word("whole.usage_warnings", "'combined_area'") }}
            or (whole.numerator = other.numerator and whole.denominator = other.denominator)
    ),

    covering as (
        select *, organisation_code as covered_code
        from reported
        union all by name
        select * exclude (other_code), other_code as covered_code
        from combined
    ),

    placed as (
        select
            covering.*,
            cell.cell,
            cell.utla21_code,
            cell.lms_code,
            cell.region_code,
            cell.is_by_name,
            cell.lsoas / sum(cell.lsoas) over (partition by covering.release_key, covering.source_row) as share,
            row_number() over (
                partition by {% for key in keys.split(", ") %} covering.{{ key }}, {% endfor %} cell.cell
                order by
                    covering.content_until desc nulls last, covering.precedence desc, covering.organisation_code desc
            ) as place
        from covering
        inner join {{ ref("int_area_cell") }} as cell on covering.covered_code = cell.area_code
        anti join
            combined on covering.organisation_code = combined.other_code
            {% for key in keys.split(", ") %} and covering.{{ key }} = combined.{{ key }} {% endfor %}
    )

select *
from placed
qualify max(place) over (partition by release_key, source_row) = 1
