-- Grain: release × indicator × organisation × period × group, entered by template.
{{ template_observations("board_return") }}
