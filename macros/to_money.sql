{#-
    By way of text: a float4 cast straight to decimal shows its binary noise on DuckDB and keeps
    only six digits on Postgres, while its text is the shortest number that means the same float.
-#}
{% macro to_money(column) -%}
    {{ return(adapter.dispatch('to_money')(column)) }}
{%- endmacro %}

{#- A decimal has no noise. Its column's type decides, before the first row: most of the cost is text. -#}
{% macro default__to_money(column) -%}
    case
        when typeof({{ column }}) like 'DECIMAL%' then cast({{ column }} as decimal(19, 4))
        else cast(cast({{ column }} as varchar) as decimal(19, 4))
    end
{%- endmacro %}

{% macro postgres__to_money(column) -%}
    cast(cast({{ column }} as varchar) as decimal(19, 4))
{%- endmacro %}
