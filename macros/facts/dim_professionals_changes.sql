{% macro dim_professionals_changes(day) %}
    select professional_id_anonymized as professional_id
    from (
        {{ changed_keys('marketplace', 'event_log', 'professional_id_anonymized', day) }}
    ) as changed
{% endmacro %}
