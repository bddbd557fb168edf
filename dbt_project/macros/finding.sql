{# The one shape that every staging model of findings (`stg_<source>__finding`) gives. A model may leave columns out;
   they are NULL then. #}
{% macro finding_columns() %}
    {{
        return(
            {
                "release_key": "varchar",
                "source_row": "bigint",
                "source_row_count": "integer",
                "source_id": "varchar",
                "document_title": "varchar",
                "document_url": "varchar",
                "published_on": "date",
                "kind": "varchar",
                "text": "varchar",
                "count": "bigint",
                "denominator": "bigint",
                "share": "double",
                "page": "bigint",
                "heading": "varchar",
                "recipient": "varchar",
                "status": "varchar",
                "extracted_by": "varchar",
                "exclusion_rule": "varchar",
            }
        )
    }}
{% endmacro %}

{# An empty relation of a shape: the base that staging models are unioned onto by name. #}
{% macro empty_relation(columns) %}
    select {% for name, type in columns.items() %} null::{{ type }} as {{ name }}{{ "," if not loop.last }} {% endfor %}
    where false
{% endmacro %}

{# What ships of the standing findings of one audience. Personal names are masked already when a release lands. #}
{% macro shipped_findings(audience) %}
    select
        finding_id,
        source_id,
        document_title,
        document_url,
        published_on,
        kind,
        text,
        "count",
        denominator,
        share,
        page,
        heading,
        recipient,
        status,
        extracted_by,
        is_synthetic,
        {{
            warnings(
                {
                    "machine_read": "extracted_by is not null",
                    "synthetic": "is_synthetic",
                    "template_entry": "extracted_by is null",
                }
            )
        }} as usage_warnings,
        release_key,
        source_row
    from {{ ref("int_finding") }}
    where audience = '{{ audience }}' and coalesce(exclusion_rule, '') in ('', 'restricted_audience')
    order by source_id, published_on, document_title, source_row, finding_id
{% endmacro %}
