{#- Text, as an accepted drift may make of a column, always takes the other way. -#}
{% macro near_money(column, otherwise) -%}
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
        else {{ otherwise }}
    end
{%- endmacro %}
