{#- A moment as a timestamp without a time zone, in UTC. -#}
{% macro utc_timestamp(moment) -%}
    {{ return(adapter.dispatch('utc_timestamp')(moment)) }}
{%- endmacro %}

{% macro default__utc_timestamp(moment) -%}
    cast({{ moment }} at time zone 'UTC' as timestamp)
{%- endmacro %}

{#- The session is in UTC. -#}
{% macro spark__utc_timestamp(moment) -%}
    cast({{ moment }} as timestamp)
{%- endmacro %}
