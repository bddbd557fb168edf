-- Grain: organisation × standard × period × publisher status: results that are no numbers, such as Pass and Fail
-- of a data-quality standard. One standard may have two statuses of a period: "Fail", and "Low DQ" for the rate
-- that the publisher withholds because of it. What the Maternity Services Data Set passes or fails is the data behind a
-- measure, never the care: the name says so.
select
    observation.source_id,
    observation.level,
    observation.organisation_code,
    observation.organisation_name,
    observation.indicator_id || if(
        observation.breakdown = 'all', '', ': ' || observation.breakdown || ' ' || observation.breakdown_value
    ) as standard,
    if(word.says is not null and indicator.statistic <> 'ratio', 'Data behind: ', '')
    || indicator.indicator_name
    || if(
        observation.breakdown = 'all', '', ': ' || observation.breakdown || ' ' || observation.breakdown_value
    ) as standard_name,
    observation.indicator_id,
    observation.period_label,
    observation.period_start,
    observation.period_end,
    observation.publisher_status,
    word.says as status_means,
    observation.numerator,
    observation.denominator,
    observation.usage_warnings,
    observation.release_key
from {{ ref("fct_observation") }} as observation
inner join {{ ref("int_indicator") }} as indicator using (indicator_id)
left join
    {{ ref("msds_value_word") }} as word on observation.source_id = 'msds' and observation.publisher_status = word.word
where observation.publisher_status is not null and observation.exclusion_rule is null
order by
    observation.source_id,
    standard,
    observation.period_start,
    observation.period_end,
    observation.level,
    observation.organisation_code,
    observation.publisher_status
