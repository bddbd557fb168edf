{# A bracketed query of one column with a row for each of these words (a Jinja list), to be cross joined. #}
{% macro rows_of(column, words) -%}
    ({% for word in words %}select '{{ word }}' as {{ column }} {{ "union all" if not loop.last }} {% endfor %})
{%- endmacro %}
