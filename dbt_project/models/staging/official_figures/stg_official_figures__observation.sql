-- Grain: release × indicator × geography × period, entered by template. What the row says of its source is no remark of
-- the publisher on the number: it stands in base_official_figures__source.
select * replace (null::varchar as note) from ({{ template_observations("official_figures") }})
