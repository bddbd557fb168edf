-- Grain: one row an observation of a landed release whose observations this build makes; the common shape of all
-- staging models with the organisation resolved. What stands here follows from the rows of the release, the seeds and
-- the code alone, so that warehouse/kept.py keeps it for later builds: nothing here may look at other releases.
{{ config(materialized="table") }}
with
    published as (
        {{ no_observations() }}
        {% for model in var("observation_models") %}
            union all by name
            select *
            from {{ ref(model) }}
        {% endfor %}
    )

select
    published.* exclude (series_id),
    coalesce(published.series_id, published.indicator_id) as series_id,
    case
        when published.level = 'england'
        then 'E92000001'
        when published.level <> 'trust'
        then coalesce(by_code.organisation_code, published.published_code)
        else coalesce(by_code.organisation_code, by_name.organisation_code)
    end as organisation_code,
    by_code.organisation_code is null
    and by_name.organisation_code is not null
    and published.level = 'trust' as by_name_only,
    by_code.organisation_code <> by_name.organisation_code as name_contradicts_code,
    exempt.published_code is not null as is_not_an_nhs_trust
from published
left join
    {{ ref("int_organisation_alias") }} as by_code
    on published.organisation_scheme = by_code.scheme
    and published.published_code = by_code.alias
left join
    {{ ref("int_organisation_alias") }} as by_name
    on by_name.scheme = 'name'
    -- only a trust's name is looked up: patterns cost more than all the rest of a row
    and by_name.alias = case when published.level = 'trust' then {{ normalised_name("published.published_name") }} end
left join
    {{ ref("not_an_nhs_trust") }} as exempt
    on published.source_id = exempt.source_id
    and published.published_code = exempt.published_code
-- a model that reads landed rows without the macro `fresh` gives rows of releases that are kept as well
anti join
    (select distinct release_key from {{ source("landed", "kept_observation") }}) as kept
    on published.release_key = kept.release_key
