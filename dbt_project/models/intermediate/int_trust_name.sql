-- Grain: normalised name × trust: every name that a trust is or was known by, from the reference seeds.
with
    names as (
        select trust_code, trust_name as name
        from {{ ref("trust") }}
        union all
        select trust_code, word
        from {{ word_rows(ref("trust_detail"), "trust_code", "aliases") }} as alias
        union all
        select trust_code, name
        from {{ ref("trust_code_body") }}
        union all
        select ods_code, organisation_name
        from {{ ref("mbrrace_organisation") }}
        where ods_code is not null
    )

select distinct {{ normalised_name("name") }} as normalised_name, trust_code
from names
where trim(name) <> ''
