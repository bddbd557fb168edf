-- The taxonomy as tables: themes, their place in the national frameworks, their indicators, and the statements of
-- publishers that speak of them.
create or replace table reference.theme_definition as
select theme_id, label, definition, $version as taxonomy_version
from read_csv($themes, header = true, all_varchar = true)
order by theme_id
;

create or replace table reference.theme_mapping as
select theme_id, framework, nullif(item_id, '') as item_id, item_label, status, source
from read_csv($mappings, header = true, all_varchar = true)
order by theme_id, framework, item_id
;

create or replace table reference.theme_indicator_link as
select theme_id, indicator_id, link, status, nullif(note, '') as note
from read_csv($indicators, header = true, all_varchar = true)
order by theme_id, indicator_id
;

create or replace table reference.theme_published_link as
select publisher, period_label, statement, theme_id, status, nullif(note, '') as note
from read_csv($published, header = true, all_varchar = true)
order by publisher, period_label, statement, theme_id
;

create or replace table reference.theme_source_body as
select source, body, nullif(note, '') as note
from read_csv($bodies, header = true, all_varchar = true)
order by source
;

create or replace table reference.theme_rank_weight as
select view, emphasis::double as emphasis, recency::double as recency, published::double as published,
    verdict::double as verdict
from read_csv($weights, header = true, all_varchar = true)
order by view
;
