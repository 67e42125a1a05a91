{#- Overrides dbt's macro, which reads the clock: a version is valid from its run date. -#}
{% macro snapshot_get_time() -%}
    cast({{ run_date() }} as timestamp)
{%- endmacro %}
