{#- For raw as it is: one row that is no money must not keep the other days from being counted. -#}
{% macro try_to_money(column) -%}
    {{ return(adapter.dispatch('try_to_money')(column)) }}
{%- endmacro %}

{% macro default__try_to_money(column) -%}
    case
        when typeof({{ column }}) like 'DECIMAL%' then try_cast({{ column }} as decimal(19, 4))
        else try_cast(cast({{ column }} as varchar) as decimal(19, 4))
    end
{%- endmacro %}

{% macro postgres__try_to_money(column) -%}
    case
        when pg_input_is_valid(cast({{ column }} as text), 'numeric(19, 4)')
            then nullif(cast(cast({{ column }} as text) as numeric(19, 4)), 'NaN')
    end
{%- endmacro %}
