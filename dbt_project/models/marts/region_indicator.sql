-- Grain: indicator × NHS England region × period × breakdown × breakdown value × source.
{{
    area_mart(
        "region",
        "region.region_code, region.region_name",
        "inner join " ~ ref("nhs_region") ~ " as region on trended.area_code = region.region_code",
    )
}}
