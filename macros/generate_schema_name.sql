{#- dbt's own puts the target's schema in front; here the schema is the folder's name as it is. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
