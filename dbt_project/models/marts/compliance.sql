-- Grain: organisation × standard × period × publisher status: results that are no numbers, such as Pass and Fail
-- of a data-quality standard. One standard may have two statuses of a period: "Fail", and "Low DQ" for the rate
-- that the publisher withholds because of it.
select
    observation.source_id,
    observation.level,
    observation.organisation_code,
    observation.organisation_name,
    observation.indicator_id || if(
        observation.breakdown = 'all', '', ': ' || observation.breakdown || ' ' || observation.breakdown_value
    ) as standard,
    indicator.indicator_name || if(
        observation.breakdown = 'all', '', ': ' || observation.breakdown || ' ' || observation.breakdown_value
    ) as standard_name,
    observation.indicator_id,
    observation.period_label,
    observation.period_start,
    observation.period_end,
    observation.publisher_status,
    observation.numerator,
    observation.denominator,
    observation.usage_warnings,
    observation.release_key
from {{ ref("fct_observation") }} as observation
inner join {{ ref("int_indicator") }} as indicator using (indicator_id)
where observation.publisher_status is not null and observation.exclusion_rule is null
order by
    observation.source_id,
    standard,
    observation.period_start,
    observation.period_end,
    observation.level,
    observation.organisation_code,
    observation.publisher_status
