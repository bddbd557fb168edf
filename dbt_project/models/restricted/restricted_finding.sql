-- Grain: that of core.fct_finding, for restricted sources.
{{ shipped_findings("restricted") }}
