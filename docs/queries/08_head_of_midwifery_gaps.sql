-- For the head of midwifery: what do the national figures lack of our trust, or hide because it is small?
with
    asked as (select 'RWD' as trust_code),

    missing as (
        select
            source_id || ': ' || dataset as source_id, 'missing from its newest figures' as gap,
            periods_missing as times, newest_reported as newest, is_synthetic
        from quality.org_completeness
        inner join asked using (trust_code)
        where is_missing_now
    ),

    masked as (
        select
            source_id || ': ' || indicator_name as source_id, 'masked by the publisher' as gap,
            count(*)::integer as times, max(period_end) as newest, bool_or(is_synthetic) as is_synthetic
        from marts.trust_indicator
        inner join asked using (trust_code)
        where is_suppressed and breakdown = 'all'
        group by all
    ),

    told as (
        select
            source_id || ': ' || dataset as source_id, 'periods reported' as gap,
            periods_reported as times, newest_reported as newest, is_synthetic
        from quality.org_completeness
        inner join asked using (trust_code)
    )

from missing
union all
from masked
union all
from told
order by gap, source_id
