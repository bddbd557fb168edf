{# Cells that the publisher masks or leaves out are NULL in the landed views, which name them in `masked_cells` and
   `missing_cells` (seed no_value_word). Whether the cell of a column, or any cell of a row, is masked. #}
{% macro is_masked(column) -%} coalesce({{ has_word("masked_cells", "'" ~ column ~ "'") }}, false) {%- endmacro %}

{% macro is_row_masked() -%}(masked_cells is not null) {%- endmacro %}

{# Whether the cell of one of these columns (a list of names) is missing: it is no number, and no zero. #}
{% macro is_missing(columns) -%}
    (
        {%- for column in columns -%}
            coalesce({{ has_word("missing_cells", "'" ~ column ~ "'") }}, false) {{ " or " if not loop.last }}
        {%- endfor -%}
    )
{%- endmacro %}

{# A number that ships only where its row is not masked. #}
{% macro unless_masked(number) -%} case when not {{ is_row_masked() }} then {{ number }} end {%- endmacro %}

{# The note on a row with missing numbers, behind the publisher's own note. #}
{% macro note_on_missing(columns, note="null") -%}
    coalesce({{ note }}, case when {{ is_missing(columns) }} then 'The publisher says that it gives no value' end)
{%- endmacro %}
