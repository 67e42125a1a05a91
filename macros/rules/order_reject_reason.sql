{% macro order_reject_reason() -%}
    case when order_id is null then 'missing_order_id' end
{%- endmacro %}
