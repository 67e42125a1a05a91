{% macro build_suffix() %}
    {{ return(adapter.dispatch('build_suffix')()) }}
{% endmacro %}

{#- A file without readers needs no suffix. -#}
{% macro default__build_suffix() %}
    {{ return('') }}
{% endmacro %}

{% macro postgres__build_suffix() %}
    {{ return('__build') }}
{% endmacro %}
