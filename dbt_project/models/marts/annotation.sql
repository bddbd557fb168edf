-- Grain: one row an answer of a trust or LMS to a figure, newest first; it stands beside the figure and changes no
-- number. An answer to every figure has the indicator `all`, one to every period has no period.
select
    left(
        md5(
            concat_ws(
                chr(31),
                annotation.organisation_code,
                annotation.indicator_id,
                coalesce(annotation.period_label, ''),
                annotation.said_on,
                annotation.text
            )
        ),
        12
    ) as annotation_id,
    annotation.level,
    annotation.organisation_code,
    annotation.organisation_name,
    annotation.lms_code,
    annotation.indicator_id,
    indicator.indicator_name,
    annotation.period_label,
    annotation.period_start,
    annotation.period_end,
    annotation.text,
    annotation.said_by,
    annotation.said_on,
    {{ warnings({"synthetic": "annotation.is_synthetic", "template_entry": "true"}) }} as usage_warnings,
    annotation.release_key
from {{ ref("int_annotation") }} as annotation
left join {{ ref("int_indicator") }} as indicator using (indicator_id)
where annotation.exclusion_rule is null
order by
    annotation.said_on desc,
    annotation.organisation_code,
    annotation.indicator_id,
    annotation.period_start,
    annotation_id
