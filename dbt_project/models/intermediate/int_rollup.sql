-- Grain: level (lms, region, england) × area × indicator × period × breakdown × breakdown value × source:
-- sums over
-- trusts by the completeness rule of METHODS.md. One missing or masked trust leaves no value, only the
-- least and the
-- greatest rate that the visible figures allow.
with
    trusts as (
        select observation.*, membership.lms_code, lms.region_code
        from {{ ref("int_observation") }} as observation
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
            -- nobody at risk is a report too; counts have no denominator
            and (
                observation.is_suppressed
                or (
                    observation.numerator is not null
                    and (observation.denominator >= 0 or indicator.statistic = 'count')
                )
            )
    ),

    {% set keys = "source_id, indicator_id, period_label, period_start, period_end, breakdown, breakdown_value" %}

    by_area as (
        select 'lms' as level, lms_code as area_code, *
        from trusts
        union all
        select 'region', region_code, *
        from trusts
        union all
        select 'england', 'E92000001', *
        from trusts
    ),

    expected_by_area as (
        select
            source_id,
            period_start,
            period_end,
            unnest(
                [
                    {'level':'lms', 'area_code':lms_code},
                    {'level':'region', 'area_code':region_code},
                    {'level':'england', 'area_code':'E92000001'}
                ]
            ) as area,
            trust_code
        from {{ ref("int_expected_trust") }}
    ),

    expected as (
        select source_id, period_start, period_end, area.level, area.area_code, count(*) as members
        from expected_by_area
        group by all
    ),

    summed as (
        select
            by_area.level,
            by_area.area_code,
            {% for key in keys.split(", ") %} by_area.{{ key }}, {% endfor %}
            count(*) filter (where not by_area.is_suppressed) as trusts_reporting,
            count(*) filter (where by_area.is_suppressed) as trusts_suppressed,
            count(*) filter (where member.trust_code is null) as reporting_beyond_members,
            sum(by_area.numerator order by by_area.organisation_code) as numerator,
            sum(by_area.denominator order by by_area.organisation_code) as denominator,
            sum(by_area.least_numerator order by by_area.organisation_code) as least_numerator,
            sum(by_area.least_denominator order by by_area.organisation_code) as least_denominator,
            sum(by_area.greatest_numerator order by by_area.organisation_code) as greatest_numerator,
            sum(by_area.greatest_denominator order by by_area.organisation_code) as greatest_denominator,
            bool_and(by_area.least_denominator is not null) as has_bounds,
            bool_or(by_area.is_suppressed) as has_suppressed,
            bool_or(coalesce(by_area.is_denominator_withheld, false)) as is_denominator_withheld,
            bool_or(by_area.is_synthetic) as is_synthetic,
            bool_or(by_area.is_provisional) as is_provisional,
            bool_or(by_area.has_arrival_warning) as has_arrival_warning,
            list_sort(list_distinct(flatten(list(coalesce(by_area.usage_warnings, []::varchar[]))))) as usage_warnings,
            max(by_area.release_key) as release_key
        from by_area
        left join
            expected_by_area as member
            on by_area.source_id = member.source_id
            and by_area.period_start = member.period_start
            and by_area.period_end = member.period_end
            and by_area.level = member.area.level
            and by_area.area_code = member.area.area_code
            and by_area.organisation_code = member.trust_code
        group by all
    ),

    -- areas none of whose trusts has a row for the key: expected all the same
    every_key as (
        select distinct
            {% for key in keys.split(", ") %} trusts.{{ key }}, {% endfor %} expected.level, expected.area_code
        from trusts
        inner join
            expected
            on trusts.source_id = expected.source_id
            and trusts.period_start = expected.period_start
            and trusts.period_end = expected.period_end
        where trusts.breakdown = 'all'
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
