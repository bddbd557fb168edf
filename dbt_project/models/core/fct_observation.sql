-- Grain: source × indicator × organisation × period × breakdown × breakdown value: every observation that stands, rows
-- outside the English marts included (exclusion_rule says why). Restricted sources have their own file.
{{ shipped_observations("public") }}
