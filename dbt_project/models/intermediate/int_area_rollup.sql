-- Grain and columns: those of int_rollup, for indicators that are published by local authority of residence:
-- sums over authorities by the share of their lower-layer areas that lies in the LMS. Complete where every
-- lower-layer area of the LMS is covered; `trusts_expected` and `trusts_reporting` count authorities here.
with
    {% set keys = "source_id, indicator_id, series_id, period_label, period_start, period_end, breakdown, breakdown_value" %}

    parts as (
        select
            part.*, area.level, {{ area_code("area.level", "lms", "part.lms_code", "part.region_code") }} as area_code
        from {{ ref("int_area_contribution") }} as part
        cross join {{ rows_of("level", ["lms", "region", "england"]) }} as area
    ),

    ground as (
        select distinct
            part.cell,
            part.utla21_code,
            part.lsoas,
            area.level,
            {{ area_code("area.level", "lms", "part.lms_code", "part.region_code") }} as area_code
        from {{ ref("int_area_cell") }} as part
        cross join {{ rows_of("level", ["lms", "region", "england"]) }} as area
    ),

    -- an authority that a publisher masks is there, and gives nothing
    authorities as (
        select
            level,
            area_code,
            {{ keys }},
            organisation_code,
            {{ exact_sum("numerator * share") }} as numerator,
            {{ exact_sum("denominator * share") }} as denominator,
            sum(share) as share,
            bool_or(is_by_name) as is_by_name,
            any_value(is_suppressed) as is_suppressed,
            any_value(is_synthetic) as is_synthetic,
            any_value(is_provisional) as is_provisional,
            any_value(has_arrival_warning) as has_arrival_warning,
            any_value(usage_warnings) as usage_warnings,
            max(release_key) as release_key
        from parts
        group by all
    ),

    summed as (
        select
            level,
            area_code,
            {{ keys }},
            {{ exact_sum("numerator") }} as numerator,
            {{ exact_sum("denominator") }} as denominator,
            count(*) filter (where not is_suppressed) as trusts_reporting,
            count(*) filter (where is_suppressed) as trusts_suppressed,
            bool_or(is_synthetic) as is_synthetic,
            bool_or(is_provisional) as is_provisional,
            bool_or(has_arrival_warning) as has_arrival_warning,
            {{ all_words("usage_warnings") }} as usage_warnings,
            bool_or(level = 'lms' and share < 1 - 1e-9) as has_share,
            bool_or(level = 'lms' and is_by_name) as has_by_name,
            max(release_key) as release_key
        from authorities
        group by all
    ),

    every_key as (select distinct {{ keys }} from {{ ref("int_area_contribution") }}),

    -- ground that no reporting authority covers, in authorities of 2021
    uncovered as (
        select every_key.*, ground.level, ground.area_code, count(distinct ground.utla21_code) as authorities
        from every_key
        cross join ground
        anti join
            parts on ground.level = parts.level and ground.area_code = parts.area_code and ground.cell = parts.cell
            {% for key in keys.split(", ") %} and every_key.{{ key }} = parts.{{ key }} {% endfor %}
        group by all
    ),

    -- what is published by trust has its sum over trusts
    by_trust as (select distinct {{ keys }} from {{ ref("int_rollup") }} where trusts_reporting > 0)

select
    coalesce(summed.level, uncovered.level) as level,
    coalesce(summed.area_code, uncovered.area_code) as area_code,
    {% for key in keys.split(", ") %} coalesce(summed.{{ key }}, uncovered.{{ key }}) as {{ key }}, {% endfor %}
    summed.numerator,
    summed.denominator,
    null::double as least_numerator,
    null::double as least_denominator,
    null::double as greatest_numerator,
    null::double as greatest_denominator,
    null::double as records,
    false as has_bounds,
    coalesce(summed.trusts_suppressed, 0) > 0 as has_suppressed,
    false as is_denominator_withheld,
    coalesce(
        summed.is_synthetic,
        max(summed.is_synthetic) over (
            partition by
                {% for key in keys.split(", ")[:2] %}
                    coalesce(summed.{{ key }}, uncovered.{{ key }}){{ "," if not loop.last }}
                {% endfor %}
        )
    ) as is_synthetic,
    coalesce(summed.is_provisional, false) as is_provisional,
    coalesce(summed.has_arrival_warning, false) as has_arrival_warning,
    {{
        warnings(
            {"area_share": "summed.has_share", "area_by_name": "summed.has_by_name"}, beside="summed.usage_warnings"
        )
    }} as usage_warnings,
    summed.release_key,
    coalesce(summed.trusts_reporting, 0)
    + coalesce(summed.trusts_suppressed, 0)
    + coalesce(uncovered.authorities, 0) as trusts_expected,
    coalesce(summed.trusts_reporting, 0) as trusts_reporting,
    coalesce(summed.trusts_suppressed, 0) as trusts_suppressed,
    coalesce(summed.trusts_suppressed, 0) = 0 and uncovered.authorities is null as is_complete,
    false as is_bounded
from summed
full join uncovered using (level, area_code, {{ keys }})
anti join
    by_trust
    on {% for key in keys.split(", ") %}
        coalesce(summed.{{ key }}, uncovered.{{ key }}) = by_trust.{{ key }} {{ "and " if not loop.last }}
    {% endfor %}
