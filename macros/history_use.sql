{% macro history_use() %}
    {%- set use = namespace(of_build='none') -%}
    {%- for unique_id in selected_resources -%}
        {%- if unique_id.startswith('snapshot.') -%}
            {{ return('writes') }}
        {%- endif -%}
        {%- set node = graph.nodes.get(unique_id) -%}
        {%- if node and node.resource_type == 'model' -%}
            {%- for parent in node.depends_on.nodes if parent.startswith('snapshot.') -%}
                {%- set use.of_build = 'reads' -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(use.of_build) }}
{% endmacro %}
