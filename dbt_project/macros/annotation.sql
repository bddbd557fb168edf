{# The one shape that every staging model of answers (`stg_<source>__annotation`) gives. #}
{% macro annotation_columns() %}
    {{
        return(
            {
                "release_key": "varchar",
                "source_row": "bigint",
                "source_id": "varchar",
                "organisation_code": "varchar",
                "indicator_id": "varchar",
                "period_label": "varchar",
                "period_start": "date",
                "period_end": "date",
                "text": "varchar",
                "said_by": "varchar",
                "said_on": "date",
            }
        )
    }}
{% endmacro %}
