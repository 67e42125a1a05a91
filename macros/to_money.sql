{#-
    By way of text: a float4 cast straight to decimal shows its binary noise on DuckDB and keeps
    only six digits on Postgres, while its text is the shortest number that means the same float.
    On DuckDB text is slow, so a number goes through it only when it isn't one of four decimals:
    below the limits no two of those are the same float. ingestion/totals.py does the same.
-#}
{% macro to_money(column) -%}
    {{ return(adapter.dispatch('to_money')(column)) }}
{%- endmacro %}

{% macro default__to_money(column) -%}
    cast(cast({{ column }} as varchar) as decimal(19, 4))
{%- endmacro %}

{% macro duckdb__to_money(column) -%}
    {{ near_money(column, "cast(cast(" ~ column ~ " as varchar) as decimal(19, 4))") }}
{%- endmacro %}
