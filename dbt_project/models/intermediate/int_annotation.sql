-- Grain: one row an answer of a landed release, superseded ones included; nothing else reads it but the mart of
-- answers and the count of rows, so that an answer changes no number.
with
    published as (
        {{ empty_relation(annotation_columns()) }}
        {% for model in var("annotation_models") %}
            union all by name
            select *
            from {{ ref(model) }}
        {% endfor %}
    ),

    organisations as (
        select code as organisation_code, name as organisation_name, 'trust' as level, lms_code
        from {{ ref("dim_organisation") }}
        where level = 'trust' and valid_to = date '9999-12-31'
        union all
        select lms_code, lms_name, 'lms', lms_code
        from {{ ref("dim_lms") }}
    )

select
    published.*,
    organisations.organisation_name,
    organisations.level,
    organisations.lms_code,
    release.is_synthetic,
    case
        when release.is_superseded
        then 'superseded_release'
        when release.audience <> 'public'
        then 'restricted_audience'
        when organisations.level is null
        then 'unknown_organisation'
    end as exclusion_rule
from published
inner join {{ ref("int_release") }} as release using (release_key)
left join organisations using (organisation_code)
