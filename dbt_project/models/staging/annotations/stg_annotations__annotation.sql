-- Grain: answer: an organisation to an indicator and period (or to all of them), entered by template.
select
    release_key,
    source_row,
    'annotations' as source_id,
    upper(trim(organisation)) as organisation_code,
    indicator as indicator_id,
    period as period_label,
    {{ template_period_start("period") }} as period_start,
    {{ template_period_end("period") }} as period_end,
    trim(text) as text,
    trim(name) as said_by,
    date as said_on
from {{ source("landed", "annotations__answers") }}
