-- Grain: scheme × published code or name: how publishers name a trust, each to one ODS code.
select 'mbrrace' as scheme, mbrrace_organisation_code::varchar as alias, ods_code as trust_code
from {{ ref("mbrrace_organisation") }}
where ods_code is not null
union all
select 'ods', trust_code, trust_code
from {{ ref("trust") }}
union all
-- a name that several trusts have had tells nothing
select 'name', normalised_name, any_value(trust_code)
from {{ ref("int_trust_name") }}
group by normalised_name
having count(distinct trust_code) = 1
