-- Grain: scheme × alias: every code or name by which publishers call a trust, each to one ODS code.
select scheme, alias, organisation_code from {{ ref("int_organisation_alias") }} order by scheme, alias
