{% macro refuse_beyond_staging() %}
    {%- for unique_id in selected_resources -%}
        {%- set node = graph.nodes.get(unique_id) -%}
        {%- if node and node.resource_type in ['model', 'seed', 'snapshot']
            and node.config.schema != 'staging' -%}
            {{ exceptions.raise_compiler_error(
                "schema_suffix is for staging and tests alone, not for " ~ node.name
                ~ "; next: dbt build without schema_suffix"
            ) }}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}
