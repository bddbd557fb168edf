{# The view over all landed revisions of one dataset (see models/staging/sources.yml), for models that serve several
   sources and for sources that are added without touching a shared file. #}
{% macro landed(source_id, dataset) %}
    {{
        return(
            api.Relation.create(
                database=target.database, schema="landed", identifier=source_id ~ "__" ~ dataset, type="view"
            )
        )
    }}
{% endmacro %}
