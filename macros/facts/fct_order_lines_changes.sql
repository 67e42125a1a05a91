{% macro fct_order_lines_changes(day) %}
    {{ changed_keys('northwind', 'orders', 'order_id', day) }}
    union
    {{ changed_keys('northwind', 'order_details', 'order_id', day) }}
{% endmacro %}
