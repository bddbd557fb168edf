-- Grain: source × dataset × length of period × trust: which trust is missing from what, and for how long: its newest
-- period beside the dataset's. Only trusts that the source has had, or that are expected in a period of it.
with
    seen as (
        select distinct
            observation.source_id,
            release.dataset,
            observation.organisation_code as trust_code,
            observation.period_start,
            observation.period_end,
            release.is_synthetic
        from {{ ref("fct_observation") }} as observation
        inner join {{ ref("dim_release") }} as release using (release_key)
        where observation.level = 'trust' and observation.exclusion_rule is null
    ),

    -- periods of one length are compared with each other: a month is not missing because a year is there
    periods as (
        select
            source_id,
            dataset,
            12 * (extract(year from period_end + 1) - extract(year from period_start))
            + extract(month from period_end + 1)
            - extract(month from period_start) as months,
            period_start,
            period_end,
            bool_or(is_synthetic) as is_synthetic
        from seen
        group by source_id, dataset, period_start, period_end
    ),

    expected as (
        select periods.dataset, periods.months, periods.is_synthetic, expected.*
        from {{ ref("int_expected_trust") }} as expected
        inner join periods using (source_id, period_start, period_end)
    ),

    missing as (
        select expected.* from expected anti join seen using (source_id, dataset, trust_code, period_start, period_end)
    )

select
    expected.source_id,
    expected.dataset,
    expected.months::integer as period_months,
    expected.trust_code,
    max_by(expected.lms_code, expected.period_end) as lms_code,
    count(*)::integer as periods_expected,
    (count(*) - count(missing.trust_code))::integer as periods_reported,
    max(expected.period_end) filter (where missing.trust_code is null) as newest_reported,
    max(expected.period_end) as newest_expected,
    count(*) filter (where missing.trust_code is not null)::integer as periods_missing,
    bool_or(missing.trust_code is not null and expected.period_end = newest.period_end) as is_missing_now,
    bool_or(expected.is_synthetic) as is_synthetic
from expected
inner join
    (select source_id, dataset, months, max(period_end) as period_end from periods group by all) as newest using (
        source_id, dataset, months
    )
left join
    missing
    on expected.source_id = missing.source_id
    and expected.dataset = missing.dataset
    and expected.trust_code = missing.trust_code
    and expected.period_start = missing.period_start
    and expected.period_end = missing.period_end
group by expected.source_id, expected.dataset, expected.months, expected.trust_code
order by expected.source_id, expected.dataset, expected.months, expected.trust_code
