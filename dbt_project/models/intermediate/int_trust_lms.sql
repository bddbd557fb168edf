-- Grain: trust × period end, for every period in the data: the LMS that the trust belonged to then. A closed
-- code that still reports keeps its last LMS, a period before LMSs existed gets the first; both are a boundary
-- change.
with
    periods as (
        select distinct organisation_code as trust_code, period_end
        from {{ ref("int_observation") }}
        where level = 'trust' and own_exclusion_rule is null
    ),

    candidates as (
        select
            periods.trust_code,
            periods.period_end,
            membership.lms_code,
            periods.period_end
            between membership.valid_from and coalesce(membership.valid_to, date '9999-12-31') as is_member,
            membership.valid_from,
            membership.valid_to
        from periods
        inner join {{ ref("trust_lms_membership") }} as membership using (trust_code)
    )

select trust_code, period_end, lms_code, not is_member as is_boundary_change
from candidates
qualify
    row_number() over (
        partition by trust_code, period_end
        order by is_member desc, case when valid_to < period_end then valid_to end desc nulls last, valid_from, lms_code
    )
    = 1
