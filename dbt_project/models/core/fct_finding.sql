-- Grain: one row a finding, recommendation or theme of a published document, in the document's words, personal
-- names masked. Only the newest revision of a document is here.
{{ shipped_findings("public") }}
