{#- Whether facts are changed in place where few of their rows change. -#}
{% macro changes_in_place() %}
    {{ return(adapter.dispatch('changes_in_place')()) }}
{% endmacro %}

{% macro default__changes_in_place() %}
    {{ return(true) }}
{% endmacro %}

{#- Raw doesn't tell which rows two days share there. -#}
{% macro spark__changes_in_place() %}
    {{ return(false) }}
{% endmacro %}
