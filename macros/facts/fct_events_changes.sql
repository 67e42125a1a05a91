{% macro fct_events_changes(day) %}
    {{ changed_keys('marketplace', 'event_log', 'event_id', day) }}
{% endmacro %}
