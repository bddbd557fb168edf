-- Grain: theme × finding: what the finding was coded for, and the words that it rests on (offsets in characters of
-- core.fct_finding.text). `coded` is the relation that the coder gives.
create or replace table marts.theme_evidence as
with
    told as (
        select
            finding.*,
            coalesce(body.body, finding.source_id) as own_body,
            quoted.quoted_body
        from core.fct_finding as finding
        left join reference.theme_source_body as body on finding.source_id = body.source
        left join quoted using (finding_id)
    ),

    own_voices as (select distinct own_body as body from told where quoted_body is null)

select
    coded.theme_id,
    coded.finding_id,
    coded.evidence,
    coded.evidence_start,
    coded.evidence_end,
    coded.score,
    coded.coded_by,
    coalesce(reviewed.reviewers, 0) as reviewers,
    reviewed.decided_on::date as decided_on,
    coalesce(reviewed.is_disputed, false) as is_disputed,
    finding.kind,
    finding.source_id,
    case
        when finding.quoted_body is null
        then finding.own_body
        -- what is passed on counts once: not where the body that said it speaks for itself in this edition
        when finding.quoted_body not in (select body from own_voices)
        then finding.quoted_body
    end as counts_for,
    finding.quoted_body,
    finding.document_title,
    finding.document_url,
    finding.page,
    finding.published_on,
    finding.release_key,
    list_sort(
        list_distinct(
            list_concat(finding.usage_warnings, if(coded.coded_by = 'person', []::varchar[], ['machine_coded']))
        )
    ) as usage_warnings
from coded
inner join told as finding using (finding_id)
left join reviewed using (finding_id, theme_id)
order by coded.theme_id, finding.source_id, finding.published_on, coded.finding_id
;

-- Grain: theme that people decided on: how many codes, by how many people, and how far these agree. Names of reviewers
-- are not here: `perinatal themes agreement` shows them to who has the decisions.
create or replace table marts.theme_review as
select
    theme_id,
    decided,
    by_several,
    disputed,
    kappa,
    reviewers,
    first_decided_on::date as first_decided_on,
    last_decided_on::date as last_decided_on
from agreed
order by theme_id
;
