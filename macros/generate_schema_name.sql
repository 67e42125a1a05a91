{#-
    dbt's macro adds the target's schema as a prefix. Here the schema is the folder's name.
    With `--vars '{schema_suffix: _verify}'`, staging shows another day without affecting a build.
-#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ return(adapter.dispatch('generate_schema_name')(custom_schema_name, node)) }}
{%- endmacro %}

{% macro default__generate_schema_name(custom_schema_name, node, build_suffix='') -%}
    {%- set suffix = '' -%}
    {%- if custom_schema_name == 'staging' -%}
        {%- set suffix = var('schema_suffix', '') -%}
    {%- elif custom_schema_name and custom_schema_name not in ['intermediate', 'seeds'] -%}
        {%- set suffix = build_suffix -%}
    {%- endif -%}
    {{ return((custom_schema_name or target.schema) | trim ~ suffix) }}
{%- endmacro %}

{#- Readers use the schemas without a suffix until a publish; on DuckDB they have another file. -#}
{% macro postgres__generate_schema_name(custom_schema_name, node) -%}
    {{ return(default__generate_schema_name(custom_schema_name, node, '__build')) }}
{%- endmacro %}
