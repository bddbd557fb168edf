-- Grain: release × finding, entered by template.
{{ template_findings("npsa") }}
