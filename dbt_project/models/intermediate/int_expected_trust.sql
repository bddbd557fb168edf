-- Grain: source × period × trust: the trusts that a roll-up must have. Members of an LMS at the period's end,
-- without those that have no births of their own and those that the publisher already counts under their
-- successor (a merger up to two years after the period: publishers report by the organisations there are at
-- publication).
with
    reporting as (
        select distinct source_id, period_start, period_end, organisation_code as trust_code
        from {{ ref("int_observation") }}
        where level = 'trust' and exclusion_rule is null
    ),

    -- before there were LMSs, their first members count
    periods as (
        select distinct
            source_id,
            period_start,
            period_end,
            greatest(period_end, (select min(valid_from) from {{ ref("trust_lms_membership") }})) as member_on
        from reporting
    ),

    members as (
        select periods.* exclude (member_on), membership.trust_code, membership.lms_code
        from periods
        inner join
            {{ ref("trust_lms_membership") }} as membership
            on periods.member_on between membership.valid_from and coalesce(membership.valid_to, date '9999-12-31')
        left join
            {{ ref("trust_without_births") }} as without_births
            on membership.trust_code = without_births.trust_code
            and without_births.source_id in ('*', periods.source_id)
            and periods.period_end between coalesce(without_births.valid_from, date '0001-01-01') and coalesce(
                without_births.valid_to, date '9999-12-31'
            )
        where without_births.trust_code is null
    ),

    replaced as (
        select distinct members.source_id, members.period_start, members.period_end, members.trust_code
        from members
        inner join
            {{ ref("trust_succession") }} as succession
            on members.trust_code = succession.predecessor_code
            and succession.effective_date between members.period_start and {{ months_later("members.period_end", 24) }}
        inner join
            reporting as successor
            on members.source_id = successor.source_id
            and members.period_start = successor.period_start
            and members.period_end = successor.period_end
            and succession.successor_code = successor.trust_code
        anti join
            reporting as itself
            on members.source_id = itself.source_id
            and members.period_start = itself.period_start
            and members.period_end = itself.period_end
            and members.trust_code = itself.trust_code
    )

select members.*, lms.region_code
from members
inner join {{ ref("lms") }} as lms using (lms_code)
anti join replaced using (source_id, period_start, period_end, trust_code)
