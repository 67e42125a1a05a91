{% macro needed_sources() %}
    {%- if not selected_resources -%}
        {#- `dbt retry` doesn't list what it runs. -#}
        {{ return(graph.sources.values() | list) }}
    {%- endif -%}
    {%- set seen = {} -%}
    {%- set needed = [] -%}
    {#- The list grows during the loop, until no ancestor is new. -#}
    {%- set queue = selected_resources | list -%}
    {%- for unique_id in queue -%}
        {%- if unique_id not in seen -%}
            {%- do seen.update({unique_id: true}) -%}
            {%- if unique_id in graph.sources -%}
                {%- do needed.append(graph.sources[unique_id]) -%}
            {%- elif unique_id in graph.nodes -%}
                {%- do queue.extend(graph.nodes[unique_id].depends_on.nodes) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(needed) }}
{% endmacro %}
