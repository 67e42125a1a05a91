{% macro build_state(results) %}
    {%- set good = [] -%}
    {%- for result in results -%}
        {%- if result.status | string not in ['success', 'pass', 'warn', 'no-op'] -%}
            {{ return('failed') }}
        {%- endif -%}
        {%- do good.append(result.node.unique_id) -%}
    {%- endfor -%}
    {#- Unit tests test the code, not this day's data, so they may be left out. -#}
    {%- set state = namespace(value='partial' if flags.EMPTY or flags.SAMPLE else 'built') -%}
    {%- for node in graph.nodes.values() -%}
        {%- if node.resource_type in ['model', 'seed', 'snapshot', 'test']
            and node.config.materialized != 'ephemeral' and node.unique_id not in good -%}
            {#- Selected, but without a result: it never ran. -#}
            {%- if node.unique_id in selected_resources -%}
                {{ return('failed') }}
            {%- endif -%}
            {%- set state.value = 'partial' -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(state.value) }}
{% endmacro %}
