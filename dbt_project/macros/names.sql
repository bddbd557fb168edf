{# An organisation's name without what publishers vary: case, punctuation, apostrophes, "&", "The", the legal form,
   doubled and trailing spaces. Two spellings of one name give the same text. #}
{% macro normalised_name(name) -%}
    {%- set plain = "replace(replace(replace(lower(" ~ name ~ "), '&', ' and '), '''', ''), '’', '')" -%}
    {%- set words = replace_matches(plain, "'[^a-z0-9]+'", "' '") -%}
    {%- set legal_form = (
        "nhs foundation trust|nhs trust|nhs ft|foundation trust|national health service trust|trust|ft|nhs"
    ) -%}
    {%- set proper = replace_matches(words, "'\\b(" ~ legal_form ~ ")\\b'", "' '") -%}
    trim({{ replace_matches(proper, "'(^\\s*the\\s)|(\\s+)'", "' '") }})
{%- endmacro %}

{# "GestationLengthBirthGroup37" and "TOTAL BABIES" → "gestation_length_birth_group37", "total_babies". #}
{% macro snake_case(name) -%}
    {%- set apart = replace_matches(name, "'([A-Z]+)([A-Z][a-z])'", "'\\1_\\2'") -%}
    {%- set apart = replace_matches(apart, "'([a-z0-9])([A-Z])'", "'\\1_\\2'") -%}
    trim({{ replace_matches("lower(" ~ apart ~ ")", "'[^a-z0-9]+'", "'_'") }}, '_')
{%- endmacro %}
