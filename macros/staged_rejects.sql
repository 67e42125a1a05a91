{#- dbt doesn't know models while it parses, so rejected_rows lists them as what it depends on. -#}
{% macro staged_rejects() %}
    {%- set staged = [] -%}
    {%- if execute -%}
        {%- set rejected_rows = graph.nodes['model.' ~ project_name ~ '.rejected_rows'] -%}
        {%- for id in rejected_rows.depends_on.nodes if not id.endswith('.stg_ops__rejected_lines') -%}
            {%- do staged.append(graph.nodes[id]) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(staged) }}
{% endmacro %}
