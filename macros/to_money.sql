{#-
    By way of text: a float4 cast straight to decimal shows its binary noise on DuckDB and keeps
    only six digits on Postgres, while its text is the shortest number that means the same float.
    On DuckDB text is slow, so a number goes through it only when it isn't one of four decimals:
    below the limits no two of those are the same float. ingestion/totals.py does the same.
    `or_null` is for raw as it is: one row that is no money must not keep the others from being
    counted.
-#}
{% macro to_money(column, or_null=false) -%}
    {{ return(adapter.dispatch('to_money')(column, or_null)) }}
{%- endmacro %}

{% macro default__to_money(column, or_null=false) -%}
    {{ 'try_cast' if or_null else 'cast' }}(cast({{ column }} as varchar) as decimal(19, 4))
{%- endmacro %}

{#- Text, as an accepted drift may make of a column, always takes the other way. -#}
{% macro duckdb__to_money(column, or_null=false) -%}
    {%- set number = "try_cast(" ~ column ~ " as double)" -%}
    {%- set whole = "cast(try_cast(round(" ~ number ~ " * 10000) as bigint) as decimal(18, 0))" -%}
    {%- set near = "cast(" ~ whole ~ " * 0.0001 as decimal(19, 4))" -%}
    case
        when
            abs({{ number }}) < case typeof({{ column }}) when 'VARCHAR' then 0 when 'FLOAT' then 1024 else 1e7 end
            and case typeof({{ column }})
                when 'FLOAT' then cast({{ near }} as float) = try_cast({{ column }} as float)
                else cast({{ near }} as double) = {{ number }}
            end
            then {{ near }}
        else {{ default__to_money(column, or_null) }}
    end
{%- endmacro %}

{% macro postgres__to_money(column, or_null=false) -%}
    {%- if or_null -%}
    case
        when pg_input_is_valid(cast({{ column }} as text), 'numeric(19, 4)')
            then nullif(cast(cast({{ column }} as text) as numeric(19, 4)), 'NaN')
    end
    {%- else -%}
    {{ default__to_money(column) }}
    {%- endif -%}
{%- endmacro %}
