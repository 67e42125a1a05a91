{#-
    DuckDB drops and creates the table in one transaction, so a failed or killed build leaves the
    old one. dbt's materialization renames two tables, drops one, and queries keys that none has.
-#}
{% materialization table, adapter='duckdb' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- if existing_relation is not none and not existing_relation.is_table -%}
        {%- do adapter.drop_relation(existing_relation) -%}
    {%- endif -%}
    {%- set raw = made_from() -%}
    {{ run_hooks(pre_hooks) }}
    {%- call statement('main') -%}
        {%- if not is_unchanged(raw) %}
        drop table if exists {{ target_relation }};
        {{ create_table_as(false, target_relation, compiled_code) }};
        {%- endif %}
        {%- if raw %}
        {{ record_fact() }}
        {%- endif %}
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
