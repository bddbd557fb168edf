-- Grain: one row a finding of a landed release, superseded ones included; the common shape of all staging models of
-- findings with the exclusion rule named.
with
    published as (
        {{ empty_relation(finding_columns()) }}
        {% for model in var("finding_models") %}
            union all by name
            select *
            from {{ ref(model) }}
        {% endfor %}
    ),

    numbered as (
        select
            published.* exclude (exclusion_rule, published_on),
            published.exclusion_rule as given_rule,
            coalesce(published.published_on, release.published_on) as published_on,
            release.is_superseded,
            release.is_synthetic,
            release.audience,
            -- the same words may stand in a document several times
            row_number() over (
                partition by published.release_key, published.kind, published.text order by published.source_row
            ) as occurrence
        from published
        inner join {{ ref("int_release") }} as release using (release_key)
    )

select
    * exclude (given_rule, is_superseded, occurrence),
    -- stable over revisions, so that what people have decided about a finding stays with it
    source_id
    || '-'
    || left(
        md5(concat_ws(chr(31), document_title, coalesce(published_on::varchar, ''), kind, text, occurrence)), 16
    ) as finding_id,
    case
        when is_superseded
        then 'superseded_release'
        when audience <> 'public'
        then 'restricted_audience'
        else given_rule
    end as exclusion_rule
from numbered
