{% macro build_suffix() %}
    {{ return(adapter.dispatch('build_suffix')()) }}
{% endmacro %}

{#- A file that no reader opens needs none. -#}
{% macro default__build_suffix() %}
    {{ return('') }}
{% endmacro %}

{% macro postgres__build_suffix() %}
    {{ return('__build') }}
{% endmacro %}
