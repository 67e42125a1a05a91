{#- The loader takes the same number of the same text: ingestion/totals.py. -#}
{% macro key_number(columns) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("rtrim(cast(" ~ column ~ " as varchar), ' ')") -%}
    {%- endfor -%}
    {{ return(adapter.dispatch('key_number')("concat_ws('|', " ~ parts | join(', ') ~ ")")) }}
{%- endmacro %}

{% macro default__key_number(text) -%}
    cast('0x' || substr(md5({{ text }}), 1, 8) as bigint)
{%- endmacro %}

{% macro postgres__key_number(text) -%}
    cast(
        cast('x' || substr(md5(convert_to({{ text }}, 'UTF8')), 1, 8) as bit(32)) as bigint
    )
{%- endmacro %}
