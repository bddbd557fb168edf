-- Grain: that of the indicator marts, for LMSs, regions and England. A publisher's own row for the area is taken before
-- our sum, where it is known to be the same area (int_publisher_area); quality.area_reconciliation has both.
{% set keys = "level, area_code, source_id, indicator_id, period_start, period_end, breakdown, breakdown_value" %}
with
    summed as (
        select
            rollup.*,
            indicator.statistic,
            indicator.multiplier,
            {{ countable_events("rollup.numerator") }} as counted_numerator
        from
            (
                select *, true as is_of_trusts
                from {{ ref("int_rollup") }}
                union all by name
                select *, false as is_of_trusts
                from {{ ref("int_area_rollup") }}
            ) as rollup
        inner join {{ ref("int_indicator") }} as indicator using (indicator_id)
    ),

    rolled as (select *, {{ measure_columns("counted_numerator", "denominator", "summed") }} from summed),

    bounded as (
        select
            rolled.*,
            null::double as publisher_value,
            {% for suffix in ["95", "998"] %}
                null::double as publisher_lower_{{ suffix }}, null::double as publisher_upper_{{ suffix }},
            {% endfor %}
            not is_complete as is_suppressed,
            case when is_complete and records >= denominator then denominator / records end as coverage,
            -- rounded outwards, so that no denominator can be worked back from them
            case
                when is_bounded and least_denominator > 0
                then floor(least_numerator / least_denominator * multiplier * 100) / 100
            end as bound_min,
            case
                when is_bounded and greatest_denominator > 0
                then ceil(greatest_numerator / greatest_denominator * multiplier * 100) / 100
            end as bound_max,
            -- chance added to what is not known: for verdicts and positions alone, they tell of the denominator
            case
                when is_bounded and not is_complete then least(least_denominator, greatest_denominator)
            end as bound_denominator,
            {% for side, count in [("lower", "least"), ("upper", "greatest")] %}
                case
                    when is_bounded and not is_complete
                    then {{ counted_limit(count ~ "_numerator", count ~ "_denominator", "rolled", side, 95) }}
                end as bound_{{ side }}_95{{ "," if not loop.last }}
            {% endfor %}
        from rolled
    ),

    ours as (
        select
            level,
            area_code,
            source_id,
            indicator_id,
            series_id,
            period_label,
            period_start,
            period_end,
            breakdown,
            breakdown_value,
            case when is_complete then numerator end as numerator,
            case when is_complete and not is_denominator_withheld then denominator end as denominator,
            {{ shipped_measures() }},
            coverage,
            bound_min,
            bound_max,
            bound_denominator,
            bound_lower_95,
            bound_upper_95,
            trusts_expected,
            trusts_reporting,
            is_of_trusts and trusts_reporting + trusts_suppressed < trusts_expected as has_missing_trusts,
            is_complete,
            {{
                warnings(
                    {
                        "incomplete": "not is_complete",
                        "suppressed": "has_suppressed",
                        "small_numbers": "is_complete and numerator between 0 and 19 and statistic = 'rate'",
                        "denominator_withheld": "is_complete and is_denominator_withheld",
                        "low_coverage": "coverage < " ~ least_coverage(),
                        "provisional": "is_provisional",
                        "arrival_warning": "has_arrival_warning",
                        "synthetic": "is_synthetic",
                    },
                    beside="usage_warnings",
                )
            }} as usage_warnings,
            coalesce(
                release_key, max(release_key) over (partition by source_id, indicator_id, period_start, period_end)
            ) as release_key
        from bounded
    ),

    theirs as (
        select observation.* exclude (level, organisation_code), area.level, area.area_code
        from {{ ref("fct_observation") }} as observation
        inner join
            {{ ref("int_publisher_area") }} as area
            on observation.level = area.published_level
            and observation.organisation_code = area.published_code
            and observation.source_id = area.source_id
            and observation.period_start = area.period_start
            and observation.period_end = area.period_end
        where
            observation.exclusion_rule is null
            and observation.publisher_status is null
            -- of an LMS only what it says: a row without a value leaves ours to stand
            and (area.level <> 'lms' or observation.value is not null)
    )

select
    level,
    area_code,
    source_id,
    indicator_id,
    series_id,
    period_label,
    period_start,
    period_end,
    breakdown,
    breakdown_value,
    numerator,
    denominator,
    value,
    lower_95,
    upper_95,
    lower_998,
    upper_998,
    method,
    null::double as publisher_value,
    null::double as adjusted_value,
    null::double as adjusted_lower_95,
    null::double as adjusted_upper_95,
    null::double as publisher_comparator_value,
    null::varchar as publisher_band,
    null::integer as publisher_adjusted_band,
    coverage,
    'counts' as value_source,
    false as is_suppressed,
    usage_warnings,
    release_key,
    trusts_expected,
    trusts_reporting,
    is_complete,
    coalesce(value, bound_min) as value_min,
    coalesce(value, bound_max) as value_max,
    bound_denominator,
    bound_lower_95,
    bound_upper_95
from ours
anti join
    theirs
    on {% for key in keys.split(", ") %} ours.{{ key }} = theirs.{{ key }} {{ "and" if not loop.last }} {% endfor %}

union all

select
    theirs.level,
    theirs.area_code,
    theirs.source_id,
    theirs.indicator_id,
    theirs.series_id,
    theirs.period_label,
    theirs.period_start,
    theirs.period_end,
    theirs.breakdown,
    theirs.breakdown_value,
    theirs.numerator,
    theirs.denominator,
    theirs.value,
    theirs.lower_95,
    theirs.upper_95,
    theirs.lower_998,
    theirs.upper_998,
    theirs.method,
    theirs.publisher_value,
    theirs.adjusted_value,
    theirs.adjusted_lower_95,
    theirs.adjusted_upper_95,
    theirs.comparator_value,
    theirs.publisher_band,
    theirs.publisher_adjusted_band,
    theirs.coverage,
    'publisher' as value_source,
    theirs.is_suppressed,
    -- the publisher's figure holds the same trusts; England's comparator is made without them (int_comparator)
    {{
        warnings(
            {
                "implausible": "theirs.level <> 'england' and " ~ has_word("ours.usage_warnings", "'implausible'"),
                "trusts_missing": "theirs.level = 'lms' and ours.has_missing_trusts",
            },
            beside="theirs.usage_warnings",
        )
    }} as usage_warnings,
    theirs.release_key,
    ours.trusts_expected,
    ours.trusts_reporting,
    case
        when theirs.level = 'lms'
        then coalesce(ours.is_complete, false)
        else coalesce(theirs.value, theirs.numerator) is not null
    end as is_complete,
    theirs.value,
    theirs.value,
    null::double,
    null::double,
    null::double
from theirs
left join
    ours
    on {% for key in keys.split(", ") %} theirs.{{ key }} = ours.{{ key }} {{ "and" if not loop.last }} {% endfor %}
