{#-
    dbt's macro adds the target's schema as a prefix. Here the schema is the folder's name, with the
    engine's suffix for marts and snapshots, because readers use other schemas until a publish.
    With `--vars '{schema_suffix: _verify}'`, staging shows another day without affecting a build.
-#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set suffix = '' -%}
    {%- if custom_schema_name == 'staging' -%}
        {%- set suffix = var('schema_suffix', '') -%}
    {%- elif custom_schema_name and custom_schema_name not in ['intermediate', 'seeds'] -%}
        {%- set suffix = build_suffix() -%}
    {%- endif -%}
    {{ (custom_schema_name or target.schema) | trim }}{{ suffix }}
{%- endmacro %}
