-- Grain: indicator × LMS × period × breakdown × breakdown value × source.
{{
    area_mart(
        "lms",
        "lms.lms_code, lms.lms_name, lms.region_code, lms.region_name",
        "inner join " ~ ref("dim_lms") ~ " as lms on trended.area_code = lms.lms_code",
    )
}}
