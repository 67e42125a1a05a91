{% macro builds_relations() %}
    {#- compile, docs and show select models too, but change nothing in the warehouse. -#}
    {%- if flags.WHICH not in ['build', 'run', 'seed', 'snapshot'] -%}
        {{ return(false) }}
    {%- endif -%}
    {#- A separate staging schema to check a day isn't a build. -#}
    {%- if var('schema_suffix', '') -%}
        {{ return(false) }}
    {%- endif -%}
    {%- for unique_id in selected_resources -%}
        {%- if unique_id.split('.')[0] in ['model', 'seed', 'snapshot'] -%}
            {{ return(true) }}
        {%- endif -%}
    {%- endfor -%}
    {#- `dbt retry` has the name of the retried command, and doesn't list what it runs. -#}
    {{ return(not selected_resources) }}
{% endmacro %}
