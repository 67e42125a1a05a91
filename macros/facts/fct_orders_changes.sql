{% macro fct_orders_changes(day) %}
    {{ fct_order_lines_changes(day) }}
    union
    -- The run date alone makes an order overdue.
    select order_id
    from {{ this }}
    where is_overdue <> (not is_shipped and coalesce(required_date < {{ run_date() }}, false))
{% endmacro %}
