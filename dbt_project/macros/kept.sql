{# The landed rows of a layout (`<source>__<layout>`) from which this build makes observations: those of releases of
   which none are kept from an earlier build (warehouse/kept.py). Models that look at all releases, such as a list of
   indicators, take the source itself. #}
{% macro fresh(layout) -%}
    (select * exclude (is_kept) from {{ source("landed", layout) }} where not coalesce(is_kept, false))
{%- endmacro %}
