{#- Overrides dbt's own, which reads the clock: a version is valid from the run date it came with. -#}
{% macro snapshot_get_time() -%}
    cast({{ run_date() }} as timestamp)
{%- endmacro %}
