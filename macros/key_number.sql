{#- ingestion/totals.py computes the same number for the same key. -#}
{% macro key_number(columns, key_as=none) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- if key_as == 'text' -%}
            {%- do parts.append("trim(trailing ' ' from cast(" ~ column ~ " as varchar))") -%}
        {%- elif key_as == 'product' -%}
            {%- do parts.append("(cast(" ~ column ~ " as bigint) % 1000003 + 1)") -%}
        {%- else -%}
            {%- do parts.append("cast(" ~ column ~ " as bigint)") -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if key_as == 'text' -%}
        {%- set text = "concat_ws('|', " ~ parts | join(', ') ~ ")" -%}
        {{ return(adapter.dispatch('key_number')(text)) }}
    {%- endif -%}
    {{ return(parts | join(' * ')) }}
{%- endmacro %}

{% macro default__key_number(text) -%}
    cast('0x' || substr(md5({{ text }}), 1, 8) as bigint)
{%- endmacro %}

{% macro spark__key_number(text) -%}
    cast(conv(substr(md5({{ text }}), 1, 8), 16, 10) as bigint)
{%- endmacro %}

{% macro postgres__key_number(text) -%}
    cast(
        cast('x' || substr(md5(convert_to({{ text }}, 'UTF8')), 1, 8) as bit(32)) as bigint
    )
{%- endmacro %}
