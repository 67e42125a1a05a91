{% macro end_build(results) %}
    {%- if execute and builds_relations() -%}
        {%- call statement('end_build', auto_begin=true) -%}
            {{ end_history(results) }}
            -- A load that ended meanwhile has made it stale, so it stays stale.
            update raw_ops.build_mark
            set state = '{{ build_state(results) }}'
            where
                invocation_id = '{{ invocation_id }}'
                and state = 'building';
        {%- endcall -%}
        {%- do adapter.commit() -%}
    {%- endif -%}
{% endmacro %}
