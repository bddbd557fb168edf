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

{# What ships of the standing findings of one audience, personal names masked (find_names and mask_names are
   insights/dbt_plugin.py): a name that one sentence gives away is masked in all of its document. #}
{% macro shipped_findings(audience) %}
    with
        standing as (
            select *
            from {{ ref("int_finding") }}
            where audience = '{{ audience }}' and coalesce(exclusion_rule, '') in ('', 'restricted_audience')
        ),

        named as (
            select
                release_key,
                document_title,
                list_sort(
                    list_distinct(flatten(list(find_names(concat_ws('. ', document_title, heading, text, recipient)))))
                ) as names
            from standing
            group by release_key, document_title
        ),

        masked as (
            select
                standing.* replace (
                    mask_names(document_title, names) as document_title,
                    mask_names(text, names) as text,
                    mask_names(heading, names) as heading,
                    mask_names(recipient, names) as recipient
                ),
                mask_names(text, names) <> text as is_masked
            from standing
            inner join named using (release_key, document_title)
        )

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
        list_filter(
            [
                case when extracted_by is not null then 'machine_read' end,
                case when is_masked then 'names_masked' end,
                case when is_synthetic then 'synthetic' end,
                case when extracted_by is null then 'template_entry' end
            ],
            lambda warning:warning is not null
        ) as usage_warnings,
        release_key,
        source_row
    from masked
    order by source_id, published_on, document_title, source_row, finding_id
{% endmacro %}
