-- Grain: theme × finding: what the finding was coded for, and the words that it rests on (offsets in characters of
-- core.fct_finding.text). `coded` is the relation that the coder gives.
create or replace table marts.theme_evidence as
select
    coded.theme_id,
    coded.finding_id,
    coded.evidence,
    coded.evidence_start,
    coded.evidence_end,
    coded.score,
    coded.coded_by,
    finding.kind,
    finding.source_id,
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
inner join core.fct_finding as finding using (finding_id)
order by coded.theme_id, finding.source_id, finding.published_on, coded.finding_id
;
