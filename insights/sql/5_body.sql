-- Grain: theme × body that stresses it or has findings on it: how much more the body speaks of this theme than of the
-- others. A body is one voice whatever the number of its sources (reference.theme_source_body), and what passes on
-- another body's words counts for neither twice (theme_evidence.counts_for). `emphasis_z` is the body's share on the
-- arcsine scale, less its mean over all themes, over its own spread with the chance of a share of so many findings; 0
-- is what the body says of any theme; a single finding stresses nothing. A body that names the theme in a list or count of its own stresses it by that.
create or replace table marts.theme_body as
with
    told as (
        select finding.finding_id, coalesce(body.body, finding.source_id) as body
        from core.fct_finding as finding
        left join reference.theme_source_body as body on finding.source_id = body.source
        anti join quoted using (finding_id)
    ),

    passed_on as (select distinct counts_for as body, finding_id from marts.theme_evidence where quoted_body is not null),

    totals as (
        select body, count(*) as findings_of_body
        from (select body, finding_id from told union all select body, finding_id from passed_on where body is not null)
        group by body
    ),

    counted as (
        select
            theme_id,
            counts_for as body,
            count(distinct finding_id)::integer as findings,
            max(published_on) as last_published_on,
            bool_or(list_contains(usage_warnings, 'synthetic')) as is_synthetic
        from marts.theme_evidence
        where counts_for is not null
        group by all
    ),

    shares as (
        select
            theme.theme_id,
            totals.body,
            coalesce(counted.findings, 0)::integer as findings,
            totals.findings_of_body::integer as findings_of_body,
            counted.last_published_on,
            counted.is_synthetic,
            coalesce(counted.findings, 0) / totals.findings_of_body as share,
            asin(sqrt(least(1, coalesce(counted.findings, 0) / totals.findings_of_body))) as angle
        from reference.theme_definition as theme
        cross join totals
        left join counted using (theme_id, body)
    ),

    spread as (
        select
            * exclude (angle),
            -- rounded, so that the last bits of a sum cannot move a theme across a line
            round(
                (angle - avg(angle) over themes)
                / sqrt(var_pop(angle) over themes + 1 / (4 * findings_of_body)),
                4
            ) as emphasis_z
        from shares
        window themes as (partition by body)
    ),

    named as (
        select theme_id, body, max(period_end) as last_named_on
        from marts.theme_figure
        where linked_by = 'taxonomy' and is_seen
        group by all
    ),

    newest as (
        select max(day) as day
        from (select published_on as day from core.fct_finding union all select last_named_on from named)
    )

select
    coalesce(spread.theme_id, named.theme_id) as theme_id,
    coalesce(spread.body, named.body) as body,
    coalesce(spread.findings, 0)::integer as findings,
    coalesce(spread.findings_of_body, 0)::integer as findings_of_body,
    100 * spread.share as share,
    round(spread.emphasis_z, 4) as emphasis_z,
    named.body is not null as is_named,
    case
        when named.body is not null then 1
        when spread.findings >= 2 then least(2, greatest(0, spread.emphasis_z)) / 2
        else 0
    end as emphasis,
    named.body is not null or (spread.findings >= 2 and spread.emphasis_z >= 1) as is_stressed,
    greatest(spread.last_published_on, named.last_named_on) as last_said_on,
    -- half as much for each five years of age, against the newest words of the edition
    0.5 ** (date_diff('day', greatest(spread.last_published_on, named.last_named_on), newest.day) / (5 * 365.25)) as recency,
    coalesce(spread.is_synthetic, false) as is_synthetic
from spread
full join named on spread.theme_id = named.theme_id and spread.body = named.body
cross join newest
where spread.findings > 0 or named.body is not null
order by theme_id, emphasis desc, body
;
