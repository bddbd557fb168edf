-- For the national Insights group: which trusts are better or worse than their comparator at the level of 99.8%, or
-- by their publisher, and from which published file does each figure come?
with newest as (
    select *
    from marts.trust_indicator
    where breakdown = 'all'
    qualify
        (period_end, period_start)
        = max((period_end, period_start)) over (partition by trust_code, indicator_id, source_id)
)

select
    newest.indicator_name, newest.trust_name, newest.lms_name, newest.period_label, round(newest.value, 2) as value,
    newest.unit, newest.verdict, newest.verdict_basis, newest.verdict_level,
    newest.comparator_value, newest.adjusted_value, newest.publisher_band, newest.usage_warnings, release.publisher,
    release.url, release.sha256
from newest
inner join core.dim_release as release using (release_key)
where newest.verdict in ('better', 'worse') and coalesce(newest.verdict_level, '99.8') = '99.8'
order by newest.indicator_name, newest.value desc
