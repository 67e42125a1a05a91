{% macro order_detail_reject_reason() -%}
    case
        when order_id is null or product_id is null then 'missing_id'
        when quantity is null or quantity <= 0 then 'quantity_not_positive'
        when unit_price is null or unit_price < 0 then 'unit_price_missing_or_negative'
        when discount is null or discount not between 0 and 1 then 'discount_not_0_to_1'
    end
{%- endmacro %}
