{# The share of an organisation's records below which a value has low coverage. #}
{% macro least_coverage() -%} 0.7 {%- endmacro %}

{# A bracketed query: int_observation with the warnings of what is not believable: an implausible value, one that rests
   on too few of the organisation's records, babies of which a part is missing or sent twice. #}
{% macro judged_observations() -%}
    (
        select
            observation.* replace (
                {{
                    warnings(
                        {
                            "implausible": "implausible.indicator_id is not null",
                            "low_coverage": "observation.coverage < " ~ least_coverage(),
                            "partial_submission": "submission.trust_code is not null",
                        },
                        beside="observation.usage_warnings",
                    )
                }} as usage_warnings
            )
        from {{ ref("int_observation") }} as observation
        left join
            {{ ref("int_plausibility") }} as implausible
            on observation.release_key = implausible.release_key
            and observation.indicator_id = implausible.indicator_id
            and observation.level = implausible.level
            and observation.published_code = implausible.published_code
            and observation.period_start = implausible.period_start
            and observation.period_end = implausible.period_end
            and observation.breakdown = implausible.breakdown
            and observation.breakdown_value = implausible.breakdown_value
        left join
            {{ ref("int_submission") }} as submission
            on observation.source_id = 'msds'
            and observation.level = 'trust'
            and observation.organisation_code = submission.trust_code
            and observation.indicator_id = submission.indicator_id
            and observation.period_start = submission.period_start
            and observation.period_end = submission.period_end
    )
{%- endmacro %}
