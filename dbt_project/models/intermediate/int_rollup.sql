-- Grain: level (lms, region, england) × area × indicator × period × breakdown × breakdown value × source: sums
-- over trusts by the completeness rule of METHODS.md. One missing or masked trust leaves no value, only the
-- least and the greatest rate that the visible figures allow.
{% set keys = (
    "source_id, indicator_id, series_id, period_label, period_start, period_end, breakdown, breakdown_value"
) %}
{% set numbers = [
    "numerator",
    "denominator",
    "least_numerator",
    "least_denominator",
    "greatest_numerator",
    "greatest_denominator",
] %}
{% set counts = numbers + ["records"] %}
{% set marks = ["is_denominator_withheld", "is_synthetic", "is_provisional", "has_arrival_warning"] %}
{% set flags = ["has_suppressed"] + marks %}
with
    -- the columns that sums need, not what is written beside a number
    trusts as (
        select
            {% for column in (keys ~ ", organisation_code, release_key, is_suppressed").split(", ") + marks + numbers %}
                observation.{{ column }},
            {% endfor %}
            -- whether a sum has low coverage is asked of the sum
            {{ without_word("observation.usage_warnings", "'low_coverage'") }} as usage_warnings,
            -- all records, of which the denominator is the part on which something is known
            observation.denominator / nullif(observation.coverage, 0) as records,
            membership.lms_code,
            lms.region_code
        from {{ judged_observations() }} as observation
        inner join
            {{ ref("int_trust_lms") }} as membership
            on observation.organisation_code = membership.trust_code
            and observation.period_end = membership.period_end
        inner join {{ ref("lms") }} as lms using (lms_code)
        inner join
            {{ ref("int_indicator") }} as indicator
            on observation.indicator_id = indicator.indicator_id
            and indicator.can_be_summed
        where
            observation.level = 'trust'
            and observation.exclusion_rule is null
            and observation.audience = 'public'
            and observation.publisher_status is null
            -- a predecessor's row whose births the publisher counts under the successor too
            and not coalesce(observation.is_counted_elsewhere, false)
            -- nobody at risk is a report too; counts have no denominator
            and (
                observation.is_suppressed
                or (
                    observation.numerator is not null
                    and (observation.denominator >= 0 or indicator.statistic = 'count')
                )
            )
    ),

    member as (
        select
            source_id,
            period_start,
            period_end,
            trust_code,
            array_agg(lms_code) as lms,
            array_agg(region_code) as regions
        from {{ ref("int_expected_trust") }}
        group by all
    ),

    by_trust as (
        select
            trusts.*,
            not coalesce({{ has_word("member.lms", "trusts.lms_code") }}, false) as beyond_lms,
            not coalesce({{ has_word("member.regions", "trusts.region_code") }}, false) as beyond_region,
            member.trust_code is null as beyond_england
        from trusts
        left join
            member
            on trusts.source_id = member.source_id
            and trusts.period_start = member.period_start
            and trusts.period_end = member.period_end
            and trusts.organisation_code = member.trust_code
    ),

    -- LMSs first; regions and England are sums of LMSs.
    by_lms as (
        select
            lms_code,
            region_code,
            {{ keys }},
            count(*) filter (where not is_suppressed) as trusts_reporting,
            count(*) filter (where is_suppressed) as trusts_suppressed,
            count(*) filter (where beyond_lms) as beyond_lms,
            count(*) filter (where beyond_region) as beyond_region,
            count(*) filter (where beyond_england) as beyond_england,
            {% for count in counts %} {{ exact_sum(count) }} as {{ count }}, {% endfor %}
            bool_and(least_denominator is not null) as has_bounds,
            bool_or(is_suppressed) as has_suppressed,
            bool_or(coalesce(is_denominator_withheld, false)) as is_denominator_withheld,
            bool_or(is_synthetic) as is_synthetic,
            bool_or(is_provisional) as is_provisional,
            bool_or(has_arrival_warning) as has_arrival_warning,
            {{ all_words("usage_warnings") }} as usage_warnings,
            max(release_key) as release_key
        from by_trust
        group by all
    ),

    by_area as (
        select 'lms' as level, lms_code as area_code, beyond_lms as reporting_beyond_members, *
        from by_lms
        union all
        select 'region', region_code, beyond_region, *
        from by_lms
        union all
        select 'england', 'E92000001', beyond_england, *
        from by_lms
    ),

    summed as (
        select
            level,
            area_code,
            {{ keys }},
            sum(trusts_reporting) as trusts_reporting,
            sum(trusts_suppressed) as trusts_suppressed,
            sum(reporting_beyond_members) as reporting_beyond_members,
            {% for count in counts %} {{ exact_sum(count) }} as {{ count }}, {% endfor %}
            bool_and(has_bounds) as has_bounds,
            {% for flag in flags %} bool_or({{ flag }}) as {{ flag }}, {% endfor %}
            {{ all_words("usage_warnings") }} as usage_warnings,
            max(release_key) as release_key
        from by_area
        group by all
    ),

    expected_by_area as (
        select
            trust.source_id,
            trust.period_start,
            trust.period_end,
            area.level,
            {{ area_code("area.level", "lms", "trust.lms_code", "trust.region_code") }} as area_code
        from {{ ref("int_expected_trust") }} as trust
        cross join {{ rows_of("level", ["lms", "region", "england"]) }} as area
    ),

    expected as (
        select source_id, period_start, period_end, level, area_code, count(*) as members
        from expected_by_area
        group by all
    ),

    reported as (select distinct {{ keys }} from trusts where breakdown = 'all'),

    -- areas none of whose trusts has a row for the key: expected all the same
    every_key as (
        select reported.*, expected.level, expected.area_code
        from reported
        inner join
            expected
            on reported.source_id = expected.source_id
            and reported.period_start = expected.period_start
            and reported.period_end = expected.period_end
    ),

    completed as (
        select
            coalesce(summed.level, every_key.level) as level,
            coalesce(summed.area_code, every_key.area_code) as area_code,
            {% for key in keys.split(", ") %} coalesce(summed.{{ key }}, every_key.{{ key }}) as {{ key }}, {% endfor %}
            summed.* exclude (level, area_code, {{ keys }})
        from summed
        full join every_key using (level, area_code, {{ keys }})
    )

select
    completed.* exclude (
        trusts_reporting,
        trusts_suppressed,
        has_suppressed,
        is_synthetic,
        is_provisional,
        has_arrival_warning,
        is_denominator_withheld
    ),
    coalesce(expected.members, 0) + coalesce(completed.reporting_beyond_members, 0) as trusts_expected,
    coalesce(completed.trusts_reporting, 0) as trusts_reporting,
    coalesce(completed.trusts_suppressed, 0) as trusts_suppressed,
    coalesce(completed.has_suppressed, false) as has_suppressed,
    coalesce(completed.is_denominator_withheld, false) as is_denominator_withheld,
    coalesce(completed.is_synthetic, whole.is_synthetic) as is_synthetic,
    coalesce(completed.is_provisional, false) as is_provisional,
    coalesce(completed.has_arrival_warning, false) as has_arrival_warning,
    coalesce(completed.trusts_reporting, 0)
    = coalesce(expected.members, 0) + coalesce(completed.reporting_beyond_members, 0) as is_complete,
    coalesce(completed.has_bounds, false)
    and coalesce(completed.trusts_reporting, 0) + coalesce(completed.trusts_suppressed, 0)
    = coalesce(expected.members, 0) + coalesce(completed.reporting_beyond_members, 0) as is_bounded
from completed
left join expected using (source_id, period_start, period_end, level, area_code)
left join
    (select source_id, bool_or(is_synthetic) as is_synthetic from trusts group by source_id) as whole using (source_id)
