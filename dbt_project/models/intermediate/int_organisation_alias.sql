-- Grain: scheme × published code or name: how publishers name a trust or an integrated care board (an STP before
-- July 2022), each to one ODS code. ONS codes of boards change with their boundaries and are never used again.
select 'mbrrace' as scheme, mbrrace_organisation_code::varchar as alias, ods_code as organisation_code
from {{ ref("mbrrace_organisation") }}
where ods_code is not null
union all
select 'ods', trust_code, trust_code
from {{ ref("trust") }}
union all
select distinct 'ons', stp_code_ons, stp_code_ods
from {{ ref("stp_icb_code_history") }}
union all
-- NHS England regions, whose ONS codes change too
select distinct 'ons', case year when '2019' then ons_code_2019 else ons_code_2022 end, region_code
from {{ ref("nhs_region") }}
cross join {{ rows_of("year", ["2019", "2022"]) }} as boundaries
where ons_code_2022 is not null
union all
-- a name that several trusts have had tells nothing
select 'name', normalised_name, any_value(trust_code)
from {{ ref("int_trust_name") }}
group by normalised_name
having count(distinct trust_code) = 1
