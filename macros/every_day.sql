{#- A relation of all days between two timestamps of the relation that it is cross joined with. -#}
{% macro every_day(first_day, last_day) -%}
    {{ return(adapter.dispatch('every_day')(first_day, last_day)) }}
{%- endmacro %}

{% macro default__every_day(first_day, last_day) -%}
    generate_series({{ first_day }}, {{ last_day }}, interval '1 day')
{%- endmacro %}

{% macro spark__every_day(first_day, last_day) -%}
    lateral explode(
        case
            when {{ first_day }} <= {{ last_day }}
                then sequence({{ first_day }}, {{ last_day }}, interval '1 day')
        end
    )
{%- endmacro %}
