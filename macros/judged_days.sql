{#- In the schema of what it tells about, so that neither is ever replaced without the other. -#}
{% macro judged_days(rejected_rows) -%}
    {{ return(rejected_rows.incorporate(path={'identifier': '_judged_days'}, type='table')) }}
{%- endmacro %}
