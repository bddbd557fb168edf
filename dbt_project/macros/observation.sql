{# The one shape that every staging model gives: names and types of its columns. A model may leave columns out; they
   are NULL then. See docs/adding-a-source.md. #}
{% macro observation_columns() %}
    {{
        return(
            {
                "release_key": "varchar",
                "source_row": "bigint",
                "source_row_count": "integer",
                "source_id": "varchar",
                "indicator_id": "varchar",
                "organisation_scheme": "varchar",
                "published_code": "varchar",
                "published_name": "varchar",
                "level": "varchar",
                "country": "varchar",
                "period_label": "varchar",
                "period_start": "date",
                "period_end": "date",
                "breakdown": "varchar",
                "breakdown_value": "varchar",
                "numerator": "double",
                "denominator": "double",
                "publisher_value": "double",
                "publisher_lower_95": "double",
                "publisher_upper_95": "double",
                "publisher_lower_998": "double",
                "publisher_upper_998": "double",
                "adjusted_value": "double",
                "adjusted_lower_95": "double",
                "adjusted_upper_95": "double",
                "comparator_value": "double",
                "comparator_name": "varchar",
                "publisher_band": "varchar",
                "adjusted_band": "varchar",
                "publisher_status": "varchar",
                "is_suppressed": "boolean",
                "is_denominator_withheld": "boolean",
                "least_numerator": "double",
                "least_denominator": "double",
                "greatest_numerator": "double",
                "greatest_denominator": "double",
                "usage_warnings": "varchar[]",
                "note": "varchar",
                "exclusion_rule": "varchar",
                "is_implied": "boolean",
            }
        )
    }}
{% endmacro %}

{# An empty relation of that shape: the base that the staging models are unioned onto by name. #}
{% macro no_observations() %}
    select
        {% for name, type in observation_columns().items() %}
            null::{{ type }} as {{ name }}{{ "," if not loop.last }}
        {% endfor %}
    where false
{% endmacro %}
