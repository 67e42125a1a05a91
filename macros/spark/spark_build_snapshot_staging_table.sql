{#- Overrides dbt-spark's macro, whose view would be in the default catalog, which has none. -#}
{% macro spark_build_snapshot_staging_table(strategy, sql, target_relation) %}
    {%- set view = api.Relation.create(
        identifier=target_relation.identifier ~ '__dbt_tmp', schema=none, database=none, type='view'
    ) -%}
    {%- call statement('build_snapshot_staging_relation') -%}
        {{ create_temporary_view(view, snapshot_staging_table(strategy, sql, target_relation)) }}
    {%- endcall -%}
    {{ return(view) }}
{% endmacro %}
