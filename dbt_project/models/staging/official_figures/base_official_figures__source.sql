-- Grain: row of a landed file of official figures: where its number is published.
select release_key, source_row, source_url, note from {{ source("landed", "official_figures__observations") }}
