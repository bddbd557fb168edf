-- Grain: organisation_key: one body under one code. A code that two bodies have had one after the other
-- (RAJ, RC9, RH5,
-- RM3) has two rows with adjoining dates, so exactly one row of a code is valid on any day.
with
    membership as (
        -- the newest LMS of a trust
        select trust_code, arg_max(lms_code, valid_from) as lms_code
        from {{ ref("trust_lms_membership") }}
        group by trust_code
    ),

    names as (
        select ods_code as trust_code, any_value(organisation_name) as name
        from {{ ref("mbrrace_organisation") }}
        where ods_code is not null
        group by ods_code
    ),

    bodies as (
        select
            trust.trust_code,
            coalesce(body.body, 1) as body,
            coalesce(body.name, names.name, {{ title_case("trust.trust_name") }}) as name,
            coalesce(body.valid_from, date '1900-01-01') as valid_from,
            coalesce(body.valid_to, date '9999-12-31') as valid_to,
            detail.open_date,
            detail.close_date,
            detail.aliases,
            trust.status,
            trust.confidence
        from {{ ref("trust") }} as trust
        left join {{ ref("trust_code_body") }} as body using (trust_code)
        left join names using (trust_code)
        left join {{ ref("trust_detail") }} as detail using (trust_code)
    ),

    trusts as (
        select
            bodies.trust_code || '-' || bodies.body as organisation_key,
            bodies.trust_code as code,
            bodies.trust_code,
            bodies.name,
            'trust' as level,
            bodies.valid_from,
            bodies.valid_to,
            try_strptime(bodies.open_date::varchar, '%Y%m%d')::date as opened_on,
            try_strptime(bodies.close_date::varchar, '%Y%m%d')::date as closed_on,
            membership.lms_code,
            lms.region_code,
            lms.neonatal_odn as network,
            list_filter(
                list_transform(string_split(coalesce(bodies.aliases, ''), '|'), lambda alias:trim(alias)),
                lambda alias:alias <> ''
            ) as aliases,
            bodies.confidence
        from bodies
        left join membership using (trust_code)
        left join {{ ref("lms") }} as lms using (lms_code)
    ),

    areas as (
        select lms_code as code, lms_name as name, 'lms' as level, lms_code, region_code, neonatal_odn as network
        from {{ ref("lms") }}
        union all
        select region_code, region_name, 'region', null, region_code, null
        from {{ ref("nhs_region") }}
        union all
        select 'E92000001', 'England', 'england', null, null, null
    ),

    -- a site's trust is what the seed knows, never a guess from the first letters of its code
    sites as (
        select
            site.site_code as code,
            site.trust_code,
            {{ title_case("site.site_name") }} as name,
            'site' as level,
            membership.lms_code,
            lms.region_code,
            lms.neonatal_odn as network,
            if(site.trust_code is null, 'unknown parent', site.parent_evidence) as confidence
        from {{ ref("msds_delivery_site") }} as site
        left join membership using (trust_code)
        left join {{ ref("lms") }} as lms using (lms_code)
        where site.site_code <> 'Unknown'
    )

select *
from trusts
union all by name
select
    level || '-' || code as organisation_key,
    *,
    date '1900-01-01' as valid_from,
    date '9999-12-31' as valid_to,
    []::varchar[] as aliases,
    'seen' as confidence
from areas
union all by name
select
    level || '-' || code as organisation_key,
    *,
    date '1900-01-01' as valid_from,
    date '9999-12-31' as valid_to,
    []::varchar[] as aliases
from sites
order by level, code, valid_from
