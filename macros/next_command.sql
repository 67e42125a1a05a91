{% macro next_command(step, day) -%}
    {%- set at_target = '' if target.name == 'duckdb' else ' --target ' ~ target.name -%}
    {{ return('; next: tradewinds ' ~ step ~ ' --run-date ' ~ day ~ at_target) }}
{%- endmacro %}
