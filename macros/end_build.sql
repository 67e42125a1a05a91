{% macro end_build(results) %}
    {%- if execute and builds_relations() -%}
        {%- call statement('end_build', auto_begin=true) -%}
            update raw_ops.build_mark
            set state = '{{ build_state(results) }}'
            where invocation_id = '{{ invocation_id }}'
        {%- endcall -%}
        {%- do adapter.commit() -%}
    {%- endif -%}
{% endmacro %}
