{#-
    dbt's own puts the target's schema in front; here the schema is the folder's name as it is.
    With `--vars '{schema_suffix: _verify}'` staging shows another day without disturbing a build.
-#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set suffix = var('schema_suffix', '') if custom_schema_name == 'staging' else '' -%}
    {{ (custom_schema_name or target.schema) | trim }}{{ suffix }}
{%- endmacro %}
