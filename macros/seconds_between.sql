{% macro seconds_between(started_at, ended_at) -%}
    {{ return(adapter.dispatch('seconds_between')(started_at, ended_at)) }}
{%- endmacro %}

{% macro default__seconds_between(started_at, ended_at) -%}
    extract(epoch from {{ ended_at }} - {{ started_at }})
{%- endmacro %}

{% macro spark__seconds_between(started_at, ended_at) -%}
    cast({{ ended_at }} - {{ started_at }} as interval second)
{%- endmacro %}
