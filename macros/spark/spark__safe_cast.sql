{#- What Spark calls `timestamp` has a time zone. -#}
{% macro spark__safe_cast(field, type) %}
    cast({{ field }} as {{ 'timestamp_ltz' if type == 'timestamp' else type }})
{% endmacro %}
