-- Grain: theme × published figure: what publishers themselves count or name, in their numbers. Never made from coded
-- findings and never added up. `linked_by` says who joined figure and theme: this project's table, or the coding of
-- the finding that carries the number. `body` is the one name under which pages show a publisher, whatever it was
-- called when it published. What nobody has seen in its source (`is_seen`) stays here, and is shown and counted nowhere.
create or replace table marts.theme_figure as
with
    named as (
        select
            link.theme_id,
            'taxonomy' as linked_by,
            link.status as link_status,
            published.* exclude (period_start),
            null::varchar as finding_id,
            null::varchar as release_key,
            []::varchar[] as usage_warnings
        from reference.theme_published_link as link
        inner join core.published_theme as published using (publisher, period_label, statement)
    ),

    carried as (
        select
            evidence.theme_id,
            evidence.coded_by as linked_by,
            finding.source_id as publisher,
            finding.source_id,
            year(finding.published_on)::varchar as period_label,
            finding.published_on as period_end,
            finding.text as statement,
            finding.share,
            finding.count,
            finding.denominator,
            finding.denominator::varchar as published_denominator,
            true as is_seen,
            'in the document' as status,
            finding.document_url as source_url,
            finding.finding_id,
            finding.release_key,
            evidence.usage_warnings
        from marts.theme_evidence as evidence
        inner join core.fct_finding as finding using (finding_id)
        where finding.kind = 'theme'
    ),

    shares as (
        select
            carried.* exclude (share, count),
            'share' as kind,
            share as value,
            share::varchar as published_value,
            '%' as published_unit
        from carried
        where share is not null
    ),

    counts as (
        select
            carried.* exclude (share, count),
            'count' as kind,
            count::double as value,
            count::varchar as published_value,
            'count' as published_unit
        from carried
        where count is not null
    ),

    everything as (
        select * from named
        union all by name
        select * from shares
        union all by name
        select * from counts
    ),

    -- the number of cases that a share stands for, where the publisher says of how many it is
    counted as (
        select *, case when kind = 'share' and denominator > 0 then round(value * denominator / 100) end as cases
        from everything
    )

select
    theme_id,
    linked_by,
    link_status,
    publisher,
    source_id,
    coalesce(by_source.body, by_publisher.body, source_id, publisher) as body,
    period_label,
    period_end,
    statement,
    kind,
    value,
    value_is,
    {{ wilson_limit("cases", "denominator", 100, "lower", 95) }} as lower_95,
    {{ wilson_limit("cases", "denominator", 100, "upper", 95) }} as upper_95,
    published_value,
    published_unit,
    denominator,
    published_denominator,
    is_seen,
    status,
    source_url,
    finding_id,
    release_key,
    usage_warnings,
    list_contains(usage_warnings, 'synthetic') as is_synthetic
from counted
left join reference.theme_source_body as by_source on counted.source_id = by_source.source
left join reference.theme_source_body as by_publisher on counted.publisher = by_publisher.source
order by theme_id, linked_by <> 'taxonomy', publisher, period_end, statement, kind, finding_id
;
