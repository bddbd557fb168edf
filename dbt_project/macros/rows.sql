{# A bracketed query of one column with a row for each of these words (a Jinja list), to be cross joined. #}
{% macro rows_of(column, words) -%}
    ({% for word in words %}select '{{ word }}' as {{ column }} {{ "union all" if not loop.last }} {% endfor %})
{%- endmacro %}

{# The code of the area that a row is summed into: at its lowest level (`lms`, `icb`), `region` or England. #}
{% macro area_code(level, lowest, code, region_code) -%}
    case {{ level }} when '{{ lowest }}' then {{ code }} when 'region' then {{ region_code }} else 'E92000001' end
{%- endmacro %}
