-- Grain: level × organisation × indicator × period × breakdown × breakdown value × source: the four headline
-- levels in one relation, for what looks across levels.
{% set levels = [
    ("trust", "trust_code", "trust_name", "lms_code", "trust_indicator"),
    ("lms", "lms_code", "lms_name", "lms_code", "lms_indicator"),
    ("region", "region_code", "region_name", "null", "region_indicator"),
    ("england", "'E92000001'", "'England'", "null", "england_indicator"),
] %}
{% for level, code, name, lms_code, mart in levels %}
    select
        '{{ level }}' as level,
        {{ code }} as organisation_code,
        {{ name }} as organisation_name,
        {{ lms_code }} as lms_code,
        {{ "true" if level == "trust" else "is_complete" }} as is_complete,
        {{ "null::double" if level == "trust" else "value_min" }} as value_min,
        {{ "null::double" if level == "trust" else "value_max" }} as value_max,
        source_id,
        indicator_id,
        series_id,
        indicator_name,
        period_label,
        period_start,
        period_end,
        breakdown,
        breakdown_value,
        numerator,
        denominator,
        value,
        unit,
        lower_95,
        upper_95,
        is_suppressed,
        comparison,
        verdict,
        verdict_basis,
        verdict_level,
        excess,
        comparator_value,
        recent_trend,
        usage_warnings,
        is_synthetic,
        release_key
    from {{ ref(mart) }}
    {% if not loop.last %}
        union all
    {% endif %}
{% endfor %}
