-- Grain: theme: how far the sources agree on it, with everything that the rank rests on (docs/themes.md). Coded
-- findings and published figures stand side by side and are never added up.
create or replace table marts.theme as
with
    totals as (select source_id, count(*) as findings_of_source from core.fct_finding group by all),

    by_source as (
        select
            theme_id,
            source_id,
            count(distinct finding_id) as findings,
            count(distinct finding_id) filter (coded_by = 'person') as by_person,
            any_value(findings_of_source) as findings_of_source
        from marts.theme_evidence
        inner join totals using (source_id)
        group by theme_id, source_id
    ),

-- a source speaks of a theme where a person has said so, or where 1% of its findings were coded to it: in a long
-- report single slips of the coder must not count as a source
    speaking as (
        select theme_id, source_id as source, 'coded' as how
        from by_source
        where by_person > 0 or 100 * findings >= findings_of_source
        union all
        select distinct theme_id, coalesce(source_id, publisher), 'published'
        from marts.theme_figure
        where linked_by = 'taxonomy' and is_seen
    ),

    spoken as (
        select
            theme_id,
            list(distinct source order by source) as sources,
            coalesce(list(distinct source order by source) filter (how = 'coded'), []) as coded_sources,
            coalesce(list(distinct source order by source) filter (how = 'published'), []) as published_sources
        from speaking
        group by theme_id
    ),

    counted as (
        select
            theme_id,
            count(distinct finding_id)::integer as findings,
            count(distinct finding_id) filter (coded_by = 'person')::integer as findings_by_person,
            count(distinct finding_id) filter (kind = 'recommendation')::integer as recommendations,
            count(distinct (source_id, document_title))::integer as documents,
            min(published_on) as first_published_on,
            max(published_on) as last_published_on,
            list_sort(list_distinct(flatten(list(usage_warnings)))) as usage_warnings
        from marts.theme_evidence
        group by theme_id
    ),

    source_lists as (
        select
            theme_id,
            to_json(
                list({'source_id': source_id, 'findings': findings, 'of': findings_of_source} order by source_id)
            ) as findings_by_source
        from by_source
        group by theme_id
    ),

    years as (
        select source_id, year(published_on) as year, count(*)::double as n
        from core.fct_finding
        where published_on is not null
        group by all
    ),

    coded_years as (
        select theme_id, source_id, year(published_on) as year, count(distinct finding_id)::double as r
        from marts.theme_evidence
        where published_on is not null
        group by all
    ),

    grid as (
        select theme.theme_id, years.source_id, years.year, years.n, coalesce(coded_years.r, 0) as r
        from reference.theme_definition as theme
        cross join years
        left join coded_years using (theme_id, source_id, year)
    ),

    year_lists as (
        select theme_id, to_json(list({'year': year, 'findings': r, 'of': n} order by year)) as findings_by_year
        from (select theme_id, year, sum(r)::integer as r, sum(n)::integer as n from grid group by all)
        group by theme_id
    ),

-- Cochran-Armitage within each source that spans three years, summed over the sources (Mantel): the share of a
-- source's findings that speak of the theme, so that a source that begins or ends makes no trend
    strata as (
        select
            theme_id,
            sum(n) as n,
            sum(r) as r,
            sum(r * year) - sum(r) * sum(n * year) / sum(n) as t,
            sum(r)
            * (sum(n) - sum(r))
            / (sum(n) * sum(n) * (sum(n) - 1))
            * (sum(n) * sum(n * year * year) - sum(n * year) * sum(n * year)) as v
        from grid
        group by theme_id, source_id
        having count(*) >= 3
    ),

    trended as (
        select
            theme_id,
            case
                when sum(r) < 5 or sum(v) <= 0
                then 'cannot be calculated'
                -- χ² with 1 degree of freedom at p < 0.002, as for the trends of indicators
                when sum(t) * sum(t) / sum(v) <= 9.5495
                then 'no significant change'
                else if(sum(t) > 0, 'increasing', 'decreasing')
            end as trend
        from strata
        group by theme_id
    ),

    bodies as (
        select
            theme_id,
            coalesce(list(body order by emphasis desc, body) filter (is_stressed), []) as bodies,
            (count(*) filter (is_stressed))::integer as n_bodies,
            sum(emphasis) as emphasis,
            avg(recency) filter (is_stressed) as recency,
            to_json(
                list(
                    {
                        'body': body,
                        'findings': findings,
                        'of': findings_of_body,
                        'share': share,
                        'z': emphasis_z,
                        'named': is_named,
                        'last': last_said_on
                    }
                    order by emphasis desc, body
                )
            ) as emphasis_by_body
        from marts.theme_body
        group by theme_id
    ),

    voices as (select count(distinct body) as n from marts.theme_body),

-- a share ranks only where a person, or this project's table, has said which theme it belongs to
    shares as (
        select
            theme_id,
            value as published_share_max,
            lower_95 as published_share_lower_95,
            upper_95 as published_share_upper_95,
            body || ' ' || period_label as published_share_of,
            statement as published_share_definition,
            published_denominator as published_share_denominator,
            source_url as published_share_url
        from marts.theme_figure
        where kind = 'share' and is_seen and value is not null and linked_by in ('taxonomy', 'person')
        qualify row_number() over (partition by theme_id order by value desc, publisher, period_label) = 1
    ),

    figure_lists as (
        select
            theme_id,
            to_json(
                list(
                    {
                        'publisher': publisher,
                        'body': body,
                        'period': period_label,
                        'statement': statement,
                        'kind': kind,
                        'published_value': published_value,
                        'published_unit': published_unit,
                        'published_denominator': published_denominator,
                        'status': status,
                        'linked_by': linked_by,
                        'url': source_url
                    }
                    order by linked_by <> 'taxonomy', publisher, period_end, statement, kind
                )
            ) as published_figures
        from marts.theme_figure
        where is_seen
        group by theme_id
    ),

-- the linked indicator on which the largest share of trusts is worse than its comparator
    worst as (
        select
            theme_id,
            indicator_id as signal_indicator_id,
            trusts_compared,
            trusts_worse,
            100.0 * trusts_worse / trusts_compared as trusts_worse_share
        from marts.theme_indicator
        where trusts_compared > 0
        qualify
            row_number() over (
                partition by theme_id order by trusts_worse / trusts_compared desc, indicator_id, source_id
            )
            = 1
    ),

-- trusts that stand out by a linked outcome or process, each once; a share of the trusts that are judged at all
    standing as (
        select theme_id, count(distinct organisation_code)::integer as trusts_standing_out
        from (select distinct theme_id, concept_id from marts.theme_indicator where link <> 'context')
        inner join marts.attention using (concept_id)
        where level = 'trust'
        group by theme_id
    ),

    judged as (
        select theme_id, max(trusts_compared) as trusts_judged
        from marts.theme_indicator
        where link <> 'context'
        group by theme_id
    ),

    indicator_lists as (
        select
            theme_id,
            to_json(
                list(
                    {
                        'indicator_id': indicator_id,
                        'source_id': source_id,
                        'link': link,
                        'period': period_label,
                        'months_covered': months_covered,
                        'england': england_value,
                        'unit': unit,
                        'trusts_compared': trusts_compared,
                        'trusts_worse': trusts_worse,
                        'trusts_signalling': trusts_signalling
                    }
                    order by indicator_id, source_id
                )
            ) as linked_indicators
        from marts.theme_indicator
        group by theme_id
    ),

    mapped as (
        select
            theme_id,
            string_agg(trim(concat_ws(' ', item_id, item_label)), '; ' order by item_id) filter (
                framework = 'matneosip_driver'
            ) as driver,
            string_agg(status, '; ' order by item_id) filter (framework = 'matneosip_driver') as driver_status,
            string_agg(item_label, '; ' order by item_id) filter (framework = 'matneosip_enabler') as enabler,
            string_agg(status, '; ' order by item_id) filter (framework = 'matneosip_enabler') as enabler_status,
            string_agg(item_id || ' ' || item_label, '; ' order by item_id) filter (
                framework = 'sbl_element'
            ) as sbl_element,
            string_agg(status, '; ' order by item_id) filter (framework = 'sbl_element') as sbl_status,
            list(item_id || ' ' || item_label order by try_cast(substr(item_id, 3) as integer)) filter (
                framework = 'mis_safety_action'
            ) as mis_action,
            list(status order by try_cast(substr(item_id, 3) as integer)) filter (framework = 'mis_safety_action') as mis_status
        from reference.theme_mapping
        group by theme_id
    ),

    joined as (
        select
            theme.*,
            mapped.* exclude (theme_id, mis_action, mis_status),
            coalesce(mapped.mis_action, []) as mis_action,
            coalesce(mapped.mis_status, []) as mis_status,
            coalesce(spoken.sources, []) as sources,
            len(coalesce(spoken.sources, []))::integer as n_sources,
            coalesce(spoken.coded_sources, []) as coded_sources,
            coalesce(spoken.published_sources, []) as published_sources,
            coalesce(counted.findings, 0) as findings,
            coalesce(counted.findings_by_person, 0) as findings_by_person,
            coalesce(counted.recommendations, 0) as recommendations,
            coalesce(counted.documents, 0) as documents,
            counted.first_published_on,
            counted.last_published_on,
            source_lists.findings_by_source,
            year_lists.findings_by_year,
            coalesce(trended.trend, 'cannot be calculated') as trend,
            coalesce(bodies.bodies, []) as bodies,
            coalesce(bodies.n_bodies, 0) as n_bodies,
            bodies.emphasis_by_body,
            shares.* exclude (theme_id),
            figure_lists.published_figures,
            indicator_lists.linked_indicators,
            worst.* exclude (theme_id),
            coalesce(standing.trusts_standing_out, 0) as trusts_standing_out,
            round(coalesce(bodies.emphasis / voices.n, 0), 4) as emphasis_score,
            round(coalesce(bodies.recency, 0), 4) as recency_score,
            round(coalesce(shares.published_share_lower_95, shares.published_share_max, 0) / 100, 4) as published_score,
            -- full where one trust in four that is judged stands out; NULL where no linked indicator judges trusts
            case
                when judged.trusts_judged > 0
                then round(least(1, 4 * coalesce(standing.trusts_standing_out, 0) / judged.trusts_judged), 4)
            end as verdict_score,
            coalesce(counted.usage_warnings, []) as usage_warnings
        from reference.theme_definition as theme
        left join mapped using (theme_id)
        left join spoken using (theme_id)
        left join counted using (theme_id)
        left join source_lists using (theme_id)
        left join year_lists using (theme_id)
        left join trended using (theme_id)
        left join shares using (theme_id)
        left join figure_lists using (theme_id)
        left join indicator_lists using (theme_id)
        left join worst using (theme_id)
        left join bodies using (theme_id)
        left join standing using (theme_id)
        left join judged using (theme_id)
        cross join voices
    ),

-- the order by each way of weighing the parts (reference.theme_rank_weight); the stated one ranks
    weighed as (
        select
            theme_id,
            view,
            -- over the parts that can be asked: a theme whose indicators judge nobody is not marked down for that
            round(
                100
                * (
                    emphasis * emphasis_score
                    + recency * recency_score
                    + published * published_score
                    + verdict * coalesce(verdict_score, 0)
                )
                / (emphasis + recency + published + if(verdict_score is null, 0, verdict)),
                2
            ) as score
        from joined
        cross join reference.theme_rank_weight
    ),

    placed as (
        select
            weighed.*,
            (
                row_number() over (
                    partition by view order by score desc, joined.n_bodies desc, joined.findings desc, theme_id
                )
            )::integer as place
        from weighed
        inner join joined using (theme_id)
    ),

    places as (
        select
            theme_id,
            max(score) filter (view = 'stated') as convergence_score,
            max(place) filter (view = 'stated') as convergence_rank,
            min(place) as rank_best,
            max(place) as rank_worst
        from placed
        group by theme_id
    ),

    ranked as (select joined.*, places.* exclude (theme_id) from joined inner join places using (theme_id))

select
    * exclude (usage_warnings),
    concat_ws(
        '; ',
        case
            when n_bodies > 0
            then
                n_bodies
                || if(n_bodies = 1, ' body stresses it: ', ' independent bodies stress it: ')
                || array_to_string(bodies, ', ')
            when findings > 0
            then 'no body speaks of it more than of other themes'
            else 'no source speaks of it'
        end,
        coalesce(
            'published share up to '
            || regexp_replace(printf('%.1f', published_share_max), '\.0$', '')
            || '%'
            || coalesce(
                printf(' (95%% interval %.1f to %.1f)', published_share_lower_95, published_share_upper_95),
                ''
            )
            || ' (' || published_share_of || ')',
            'no published share'
        ),
        'trend: ' || trend,
        if(
            trusts_standing_out > 0,
            trusts_standing_out || if(trusts_standing_out = 1, ' trust stands', ' trusts stand') || ' out on a linked indicator',
            'no trust stands out on a linked indicator'
        ),
        findings || if(findings = 1, ' coded finding', ' coded findings')
    ) as reasoning,
    usage_warnings
from ranked
order by convergence_rank
;
