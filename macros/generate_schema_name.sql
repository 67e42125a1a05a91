{#-
    dbt's own puts the target's schema in front; here the schema is the folder's name as it is, with
    the engine's suffix behind that of marts and snapshots: readers look elsewhere until a publish.
    With `--vars '{schema_suffix: _verify}'` staging shows another day without disturbing a build.
-#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set suffix = '' -%}
    {%- if custom_schema_name == 'staging' -%}
        {%- set suffix = var('schema_suffix', '') -%}
    {%- elif custom_schema_name and custom_schema_name != 'intermediate' -%}
        {%- set suffix = build_suffix() -%}
    {%- endif -%}
    {{ (custom_schema_name or target.schema) | trim }}{{ suffix }}
{%- endmacro %}
