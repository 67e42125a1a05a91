{#-
    dbt's macro adds the target's schema as a prefix. Here the schema is the folder's name, of a mart
    that of its domain.
    With `--vars '{schema_suffix: _verify}'`, staging shows another day without affecting a build.
-#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ return(adapter.dispatch('generate_schema_name')(custom_schema_name, node)) }}
{%- endmacro %}

{% macro default__generate_schema_name(custom_schema_name, node, build_suffix='') -%}
    {%- set is_mart = node.resource_type == 'model' and node.fqn[1] == 'marts' -%}
    {%- set name = node.fqn[2] if is_mart else custom_schema_name -%}
    {%- set suffix = '' -%}
    {%- if name == 'staging' -%}
        {%- set suffix = var('schema_suffix', '') -%}
    {%- elif name and name not in ['intermediate', 'seeds'] -%}
        {%- set suffix = build_suffix -%}
    {%- endif -%}
    {{ return((name or target.schema) | trim ~ suffix) }}
{%- endmacro %}

{#- Readers use the schemas without a suffix until a publish; on DuckDB they have another file. -#}
{% macro postgres__generate_schema_name(custom_schema_name, node) -%}
    {{ return(default__generate_schema_name(custom_schema_name, node, '__build')) }}
{%- endmacro %}
