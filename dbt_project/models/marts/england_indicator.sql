-- Grain: indicator × period × breakdown × breakdown value × source, for England.
{{ area_mart("england", "") }}
