{#-
    Iceberg's catalogs know views only in part, and a view would be computed by each of its readers: a
    table, then, which keeps its query for those who need it as of now (Warehouse.refresh).
-#}
{% materialization view, adapter='spark' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {%- call statement('main') -%}
        create or replace table {{ target_relation }}
        tblproperties (
            'tradewinds.query' = '{{ spark__statements(sql) | join | replace("'", "''") }}'
        )
        as
        {{ sql }}
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
