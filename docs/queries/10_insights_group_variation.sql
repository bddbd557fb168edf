-- For the national Insights group: which trusts lie beyond their comparator even by the 99.8% interval, and from which
-- published file does each figure come?
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
    newest.unit, round(newest.lower_998, 2) as lower_998, round(newest.upper_998, 2) as upper_998,
    newest.comparator_value, newest.comparison, newest.publisher_band, newest.usage_warnings, release.publisher,
    release.url, release.sha256
from newest
inner join core.dim_release as release using (release_key)
where newest.lower_998 > newest.comparator_value or newest.upper_998 < newest.comparator_value
order by newest.indicator_name, newest.value desc
