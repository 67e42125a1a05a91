{#- For raw as it is: one row that is no money must not keep the other days from being counted. -#}
{% macro try_to_money(column) -%}
    {{ return(adapter.dispatch('try_to_money')(column)) }}
{%- endmacro %}

{% macro default__try_to_money(column) -%}
    try_cast(cast({{ column }} as varchar) as decimal(19, 4))
{%- endmacro %}

{% macro duckdb__try_to_money(column) -%}
    {{ near_money(column, default__try_to_money(column)) }}
{%- endmacro %}

{% macro postgres__try_to_money(column) -%}
    case
        when pg_input_is_valid(cast({{ column }} as text), 'numeric(19, 4)')
            then nullif(cast(cast({{ column }} as text) as numeric(19, 4)), 'NaN')
    end
{%- endmacro %}
