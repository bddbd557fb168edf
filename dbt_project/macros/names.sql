{# An organisation's name without what publishers vary: case, punctuation, apostrophes, "&", "The", the legal form,
   doubled and trailing spaces. Two spellings of one name give the same text. #}
{% macro normalised_name(name) -%}
    trim(
        regexp_replace(
            regexp_replace(
                regexp_replace(
                    replace(replace(replace(lower({{ name }}), '&', ' and '), '''', ''), '’', ''),
                    '[^a-z0-9]+',
                    ' ',
                    'g'
                ),
                '\b(nhs foundation trust|nhs trust|nhs ft|foundation trust|national health service trust|trust|ft|nhs)\b',
                ' ',
                'g'
            ),
            '(^\s*the\s)|(\s+)',
            ' ',
            'g'
        )
    )
{%- endmacro %}

{# "ROYAL SURREY NHS FOUNDATION TRUST" → "Royal Surrey NHS Foundation Trust". #}
{% macro title_case(name) -%}
    array_to_string(
        list_transform(
            string_split(lower({{ name }}), ' '),
            lambda word: case
                when word in ('nhs')
                then upper(word)
                when word in ('and', 'of', 'the', 'in', 'upon')
                then word
                else upper(word[1]) || word[2:]
            end
        ),
        ' '
    )
{%- endmacro %}

{# "GestationLengthBirthGroup37" and "TOTAL BABIES" → "gestation_length_birth_group37", "total_babies". #}
{% macro snake_case(name) -%}
    trim(
        regexp_replace(
            lower(
                regexp_replace(
                    regexp_replace({{ name }}, '([A-Z]+)([A-Z][a-z])', '\1_\2', 'g'), '([a-z\d])([A-Z])', '\1_\2', 'g'
                )
            ),
            '[^a-z0-9]+',
            '_',
            'g'
        ),
        '_'
    )
{%- endmacro %}
