-- Grain: source × period × trust: the trusts that a roll-up must have. Members of an LMS at the period's end,
-- without those that have no births of their own and those that the publisher already counts under their
-- successor (a merger up to two years after the period: publishers report by the organisations there are at
-- publication). That a successor counts them must be seen: they have no row of their own in the period, and the
-- successor's denominators are about those of the year before, of itself and of all whom it is to count. Where
-- there is no year before, they are missing.
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

    -- a row of its own, whatever keeps it out of the marts, says that a trust is not counted elsewhere
    itself as (
        select distinct source_id, period_start, period_end, organisation_code as trust_code
        from {{ ref("int_observation") }}
        where level = 'trust' and coalesce(exclusion_rule, '') not in ('superseded_release', 'superseded_row')
    ),

    absent as (
        select
            members.source_id, members.period_start, members.period_end, members.trust_code, succession.successor_code
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
            itself
            on members.source_id = itself.source_id
            and members.period_start = itself.period_start
            and members.period_end = itself.period_end
            and members.trust_code = itself.trust_code
    ),

    sizes as (
        select
            source_id,
            indicator_id,
            period_start,
            period_end,
            organisation_code as trust_code,
            max(coalesce(greatest_denominator, denominator, numerator)) as size
        from {{ ref("int_observation") }}
        where level = 'trust' and exclusion_rule is null and publisher_status is null
        group by all
    ),

    -- the successor and all whom it is to count
    bodies as (
        select source_id, period_start, period_end, successor_code, trust_code
        from absent
        union
        select source_id, period_start, period_end, successor_code, successor_code
        from absent
    ),

    known_before as (
        select
            bodies.source_id,
            bodies.period_start,
            bodies.period_end,
            bodies.successor_code,
            sizes.indicator_id,
            sum(sizes.size) as size,
            count(*) as bodies
        from bodies
        inner join
            sizes
            on bodies.source_id = sizes.source_id
            and bodies.trust_code = sizes.trust_code
            and sizes.period_start = {{ months_later("bodies.period_start", -12) }}
            and sizes.period_end = last_day({{ months_later("bodies.period_end", -12) }})
        group by all
    ),

    counted as (
        select known_before.source_id, known_before.period_start, known_before.period_end, known_before.successor_code
        from known_before
        inner join
            sizes as now
            on known_before.source_id = now.source_id
            and known_before.period_start = now.period_start
            and known_before.period_end = now.period_end
            and known_before.successor_code = now.trust_code
            and known_before.indicator_id = now.indicator_id
        where
            known_before.bodies = (
                select count(*)
                from bodies
                where
                    bodies.source_id = known_before.source_id
                    and bodies.period_start = known_before.period_start
                    and bodies.period_end = known_before.period_end
                    and bodies.successor_code = known_before.successor_code
            )
        group by all
        having {{ quantile("now.size / nullif(known_before.size, 0)", 0.5) }} >= 0.85
    ),

    replaced as (
        select distinct source_id, period_start, period_end, trust_code
        from absent
        inner join counted using (source_id, period_start, period_end, successor_code)
    )

select members.*, lms.region_code
from members
inner join {{ ref("lms") }} as lms using (lms_code)
anti join replaced using (source_id, period_start, period_end, trust_code)
