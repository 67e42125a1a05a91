{#-
    Through text: a float4 cast directly to decimal shows binary noise on DuckDB and keeps only six
    digits on Postgres, while its text is the shortest number for the same float. Text is slow on
    DuckDB, so a number goes through it only if it doesn't have four decimals: below the limits no
    two of those are the same float. ingestion/totals.py does the same.
    `or_null` is for unchecked raw rows: one invalid amount must not prevent counting the others.
-#}
{% macro to_money(column, or_null=false) -%}
    {{ return(adapter.dispatch('to_money')(column, or_null)) }}
{%- endmacro %}

{% macro default__to_money(column, or_null=false) -%}
    {{ 'try_cast' if or_null else 'cast' }}(cast({{ column }} as varchar) as decimal(19, 4))
{%- endmacro %}

{#- A text column, which an accepted drift may cause, always goes through text. -#}
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
    {#- pg_input_is_valid would need Postgres 16. -#}
    {%- set text = "cast(" ~ column ~ " as text)" -%}
    case
        when {{ text }} ~ '^ *[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]{1,3})? *$'
            then case
                when abs(round(cast({{ text }} as numeric), 4)) < 1e15
                    then cast({{ text }} as numeric(19, 4))
            end
    end
    {%- else -%}
    {{ default__to_money(column) }}
    {%- endif -%}
{%- endmacro %}
