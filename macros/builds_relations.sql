{% macro builds_relations() %}
    {#- compile, docs and show select models too, but change nothing in the warehouse. -#}
    {%- if flags.WHICH not in ['build', 'run', 'seed', 'snapshot'] -%}
        {{ return(false) }}
    {%- endif -%}
    {#- Staging beside the build's own, to check a day: no build. -#}
    {%- if var('schema_suffix', '') -%}
        {{ return(false) }}
    {%- endif -%}
    {%- for unique_id in selected_resources -%}
        {%- if unique_id.split('.')[0] in ['model', 'seed', 'snapshot'] -%}
            {{ return(true) }}
        {%- endif -%}
    {%- endfor -%}
    {#- `dbt retry` goes by the name of the command it retries and doesn't say what it runs. -#}
    {{ return(not selected_resources) }}
{% endmacro %}
