{#-
    By way of text: a float4 cast straight to decimal shows its binary noise on DuckDB and keeps
    only six digits on Postgres, while its text is the shortest number that means the same float.
-#}
{% macro to_money(column) -%}
    cast(cast({{ column }} as varchar) as decimal(19, 4))
{%- endmacro %}
