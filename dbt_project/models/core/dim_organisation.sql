-- Grain: organisation_key: one body under one code. A code that two bodies have had one after the other (RAJ,
-- RC9, RH5, RM3) has two rows with adjoining dates, so exactly one row of a code is valid on any day.
with
    membership as (
        -- the newest LMS of a trust
        select trust_code, max_by(lms_code, valid_from) as lms_code
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
            bodies.name,
            'trust' as level,
            bodies.valid_from,
            bodies.valid_to,
            {% for digits, name in [
                ("bodies.open_date::varchar", "opened_on"),
                ("bodies.close_date::varchar", "closed_on"),
            ] %}
                {{
                    date_of(
                        "left(" ~ digits ~ ", 4)::integer",
                        "substr(" ~ digits ~ ", 5, 2)::integer",
                        "right(" ~ digits ~ ", 2)::integer",
                    )
                }} as {{ name }},
            {% endfor %}
            membership.lms_code,
            lms.region_code,
            lms.neonatal_odn as network,
            {{ split_words("bodies.aliases") }} as aliases,
            bodies.confidence
        from bodies
        left join membership using (trust_code)
        left join {{ ref("lms") }} as lms using (lms_code)
    ),

    regions as (
        -- "2013-2019" or "2019-" in the seed
        select
            region_code as code,
            region_name as name,
            'region' as level,
            region_code,
            {{ date_of("left(valid, 4)::integer", 4, 1) }} as valid_from,
            case
                when {{ matches_whole("valid", "'[0-9]{4}-[0-9]{4}'") }}
                then {{ date_of("right(valid, 4)::integer", 3, 31) }}
            end as valid_to
        from {{ ref("nhs_region") }}
    ),

    icbs as (
        -- STPs until June 2022, ICBs since, under one ODS code; its names over the years are aliases
        select
            stp_code_ods as code,
            max_by(stp_name, year) as name,
            'icb' as level,
            array_agg(distinct stp_name order by stp_name) as aliases,
            {{ date_of("min(year)", 4, 1) }} as valid_from
        from {{ ref("stp_icb_code_history") }}
        where stp_code_ods is not null
        group by stp_code_ods
    ),

    sites as (
        select
            site.site_code as code,
            {{ title_case("site.site_name") }} as name,
            'site' as level,
            site.trust_code as parent_code,
            membership.lms_code,
            lms.region_code,
            site.parent_evidence as confidence
        from {{ ref("msds_delivery_site") }} as site
        left join membership using (trust_code)
        left join {{ ref("lms") }} as lms using (lms_code)
    ),

    networks as (
        select distinct 'neonatal_network' as level, neonatal_odn as name
        from {{ ref("lms") }}
        union
        select distinct 'clinical_network', scn
        from {{ ref("lms") }}
        union
        select distinct 'patient_safety_network', psn_ahsn
        from {{ ref("lms") }}
    ),

    areas as (
        select lms_code as code, lms_name as name, 'lms' as level, lms_code, region_code, neonatal_odn as network
        from {{ ref("lms") }}
        union all by name
        select *
        from regions
        union all by name
        select *
        from icbs
        union all by name
        select *
        from sites
        union all by name
        select level, name, name as code
        from networks
        where name is not null
        union all by name
        select 'E92000001' as code, 'England' as name, 'england' as level
    )

select *
from trusts
union all by name
select
    level || '-' || code as organisation_key,
    * replace (
        coalesce(valid_from, date '1900-01-01') as valid_from,
        coalesce(valid_to, date '9999-12-31') as valid_to,
        coalesce(aliases, {{ warnings() }}) as aliases,
        coalesce(confidence, 'seen') as confidence
    )
from areas
order by level, code, valid_from
