{#- The loader takes the same number of the same integers: ingestion/totals.py. -#}
{% macro key_product(columns) -%}
    {%- set factors = [] -%}
    {%- for column in columns -%}
        {%- do factors.append("(cast(" ~ column ~ " as bigint) % 1000003 + 1)") -%}
    {%- endfor -%}
    {{ factors | join(' * ') }}
{%- endmacro %}
