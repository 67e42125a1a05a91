{#-
    dbt-spark's drops a table that it builds whole, and with it the published versions, which are tags on
    the table. Replaced, it keeps them.
-#}
{% materialization incremental, adapter='spark' %}
    {%- set is_whole = load_cached_relation(this) is none or should_full_refresh() -%}
    {{ run_hooks(pre_hooks) }}
    {%- call statement('main') -%}
        {%- if is_whole -%}
            {{ create_table_as(false, this, sql) }}
        {%- else -%}
            insert into {{ this }} by name
            {{ sql }}
        {%- endif -%}
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}
