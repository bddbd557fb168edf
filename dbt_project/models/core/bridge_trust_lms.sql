-- Grain: trust × LMS × validity: which trust belonged to which LMS when. Rows whose dates contradict each other
-- in the source (end before start) are facts about trusts that had closed before LMSs existed; they are left out
-- here.
select trust_code, lms_code, valid_from, coalesce(valid_to, date '9999-12-31') as valid_to, source, confidence
from {{ ref("trust_lms_membership") }}
where valid_to is null or valid_to >= valid_from
order by trust_code, valid_from
