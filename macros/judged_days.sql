{#- In the schema of rejected_rows, so that both are always replaced together. -#}
{% macro judged_days(rejected_rows) -%}
    {{ return(rejected_rows.incorporate(path={'identifier': '_judged_days'}, type='table')) }}
{%- endmacro %}
