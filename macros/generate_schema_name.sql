{#-
    dbt's macro adds the target's schema as a prefix. Here the schema is the folder's name (of a mart
    that of its domain), with the engine's suffix for marts and snapshots, because readers use other
    schemas until a publish.
    With `--vars '{schema_suffix: _verify}'`, staging shows another day without affecting a build.
-#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set is_mart = node.resource_type == 'model' and node.fqn[1] == 'marts' -%}
    {%- set name = node.fqn[2] if is_mart else custom_schema_name -%}
    {%- set suffix = '' -%}
    {%- if name == 'staging' -%}
        {%- set suffix = var('schema_suffix', '') -%}
    {%- elif name and name != 'intermediate' -%}
        {%- set suffix = build_suffix() -%}
    {%- endif -%}
    {{ (name or target.schema) | trim }}{{ suffix }}
{%- endmacro %}
