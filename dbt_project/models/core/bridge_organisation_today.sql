-- Grain: trust code × today's trust: where a closed trust's services are now, through all mergers since. A trust
-- that was split has several rows (`is_split`): its history may be shown under each successor but not added up.
-- With it any mart can be read as today's organisations; without it, as it was then.
with recursive
    chain as (
        select trust_code as code, trust_code as today_code, 0 as mergers, '>' || trust_code || '>' as path
        from {{ ref("trust") }}
        union all
        select chain.code, succession.successor_code, chain.mergers + 1, chain.path || succession.successor_code || '>'
        from chain
        inner join {{ ref("trust_succession") }} as succession on chain.today_code = succession.predecessor_code
        where chain.path not like '%>' || succession.successor_code || '>%'
    ),

    ends as (
        select chain.*
        from chain
        anti join {{ ref("trust_succession") }} as succession on chain.today_code = succession.predecessor_code
    )

select
    ends.code,
    ends.today_code,
    today.name as today_name,
    today.lms_code as today_lms_code,
    lms.icb_code as today_icb_code,
    lms.icb_name as today_icb_name,
    today.region_code as today_region_code,
    ends.mergers::integer as mergers,
    count(*) over (partition by ends.code) > 1 as is_split,
    ends.mergers > 0 as is_boundary_change
from ends
left join
    {{ ref("dim_organisation") }} as today
    on today.level = 'trust'
    and today.code = ends.today_code
    and today.valid_to = date '9999-12-31'
left join {{ ref("dim_lms") }} as lms on today.lms_code = lms.lms_code
order by ends.code, ends.today_code
