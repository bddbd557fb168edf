-- For the national Insights group: where does each ambition stand against its trajectory, and by whose figure?
select
    ambition_name, geography, period, actual, unit, round(target, 2) as trajectory, round(gap, 2) as gap, on_track,
    round(years_behind, 1) as years_behind, position, definition, quirk, source_url, is_synthetic, release_key
from marts.national_ambition
where is_headline
qualify row_number() over (partition by ambition_id order by year desc, period desc) = 1
order by ambition_name
