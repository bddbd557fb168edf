{% set keys = "source_id, indicator_id, period_label, period_start, period_end, breakdown, breakdown_value" %}
-- Grain: source × indicator × period × breakdown × breakdown value × part (numerator, denominator) × area (integrated
-- care board, region, England): the publisher's own row beside the sum of the area's trusts, where both are published
-- counts. Only publishers that round their counts (reference.count_rounding): a sum of rounded counts must lie within
-- the bounds that rounding allows, or have a known cause (reference.area_difference_cause).
with
    counts as (
        select
            observation.level,
            observation.organisation_code,
            observation.period_end,
            {% for key in keys.split(", ") if key != "period_end" %} observation.{{ key }}, {% endfor %}
            observation.is_suppressed,
            published.part,
            case
                when published.part = 'numerator'
                then observation.numerator
                -- the denominator of a distribution is our own sum, not a published count
                when observation.breakdown <> 'category'
                then observation.denominator
            end as count,
            rounding.nearest,
            rounding.small_least,
            rounding.small_greatest
        from {{ ref("int_observation") }} as observation
        inner join {{ ref("count_rounding") }} as rounding using (source_id)
        cross join {{ rows_of("part", ["numerator", "denominator"]) }} as published
        where
            observation.exclusion_rule is null
            and observation.publisher_status is null
            and observation.audience = 'public'
            and observation.level in ('trust', 'icb', 'region', 'england')
            -- outcomes that we make of several categories are sums of rounded counts: their categories stand here
            and (coalesce(observation.source_row_count, 1) > 0 or observation.is_implied)
    ),

    -- how far below and above its rounded count a true count may lie
    rounded as (
        select
            * exclude (nearest, small_least, small_greatest),
            case
                when count = 0 then 0 when count = nearest then small_least - nearest else - floor(nearest / 2)
            end as least_error,
            case
                when count = 0 then 0 when count = nearest then small_greatest - nearest else floor(nearest / 2)
            end as greatest_error
        from counts
    ),

    placed as (
        select
            rounded.* exclude (level),
            area.level,
            {{ area_code("area.level", "icb", "lms.stp_code_ods", "lms.region_code") }} as area_code
        from rounded
        inner join
            {{ ref("int_trust_lms") }} as membership
            on rounded.organisation_code = membership.trust_code
            and rounded.period_end = membership.period_end
        inner join {{ ref("lms") }} as lms using (lms_code)
        cross join {{ rows_of("level", ["icb", "region", "england"]) }} as area
        where rounded.level = 'trust' and (rounded.count is not null or rounded.is_suppressed)
    ),

    summed as (
        select
            level,
            area_code,
            part,
            {{ keys }},
            count(*) as trusts,
            sum(count) as trust_sum,
            sum(least_error) as least_error,
            sum(greatest_error) as greatest_error,
            bool_or(is_suppressed) as has_masked_trust
        from placed
        group by all
    ),

    failing as (
        select distinct
            observation.source_id,
            observation.indicator_id,
            observation.period_end,
            {{ area_code("area.level", "icb", "lms.stp_code_ods", "lms.region_code") }} as area_code
        from {{ ref("int_observation") }} as observation
        inner join
            {{ ref("int_trust_lms") }} as membership
            on observation.organisation_code = membership.trust_code
            and observation.period_end = membership.period_end
        inner join {{ ref("lms") }} as lms using (lms_code)
        cross join {{ rows_of("level", ["icb", "region", "england"]) }} as area
        where
            observation.level = 'trust'
            and observation.exclusion_rule is null
            and observation.publisher_status is not null
            and observation.publisher_status <> 'Pass'
    ),

    compared as (
        select
            summed.* exclude (least_error, greatest_error),
            theirs.count as publisher_count,
            summed.trust_sum - theirs.count as difference,
            -- sum less area = (errors of the area's count) less (errors of the trusts' counts)
            theirs.least_error - summed.greatest_error as least_difference,
            theirs.greatest_error - summed.least_error as greatest_difference,
            failing.area_code is not null as has_failing_trust
        from summed
        inner join
            rounded as theirs
            on summed.level = theirs.level
            and summed.area_code = theirs.organisation_code
            and summed.part = theirs.part
            {% for key in keys.split(", ") if key != "period_label" %}
                and summed.{{ key }} = theirs.{{ key }}
            {% endfor %}
            and theirs.count is not null
        left join
            failing
            on summed.source_id = failing.source_id
            and summed.indicator_id = failing.indicator_id
            and summed.period_end = failing.period_end
            and summed.area_code = failing.area_code
        -- a masked count cannot be left in a sum that is shown
        where not summed.has_masked_trust
    ),

    judged as (
        select *, difference between least_difference and greatest_difference as is_within_rounding from compared
    )

select
    judged.source_id,
    judged.indicator_id,
    judged.period_label,
    judged.period_start,
    judged.period_end,
    judged.breakdown,
    judged.breakdown_value,
    judged.part,
    judged.level,
    judged.area_code,
    judged.trusts::integer as trusts,
    judged.trust_sum,
    judged.publisher_count,
    judged.difference,
    judged.least_difference::double as least_difference,
    judged.greatest_difference::double as greatest_difference,
    judged.is_within_rounding,
    case
        when judged.is_within_rounding
        then null
        when judged.has_failing_trust
        then 'trust_left_out_by_publisher'
        else coalesce(known.cause, 'unexplained')
    end as cause
from judged
left join
    {{ ref("area_difference_cause") }} as known
    -- what lies within rounding is held against no pattern
    on if(judged.is_within_rounding, null, judged.source_id) = known.source_id
    and {{ matches_whole("judged.area_code", "known.area_pattern") }}
    and {{ matches_whole("judged.indicator_id", "known.indicator_pattern") }}
    and (known.direction = 'any' or (known.direction = 'above') = (judged.difference > 0))
    and (known.largest_share is null or abs(judged.difference) <= known.largest_share * judged.publisher_count)
qualify
    row_number() over (
        partition by
            {% for key in keys.split(", ") %} judged.{{ key }}, {% endfor %} judged.part, judged.level, judged.area_code
        order by known.place
    )
    = 1
order by {{ keys }}, part, level, area_code
