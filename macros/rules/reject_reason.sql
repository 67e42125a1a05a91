{% macro reject_reason(table_name) -%}
    {%- if table_name == 'orders' -%}
    case when order_id is null then 'missing_order_id' end
    {%- elif table_name == 'order_details' -%}
    case
        when order_id is null or product_id is null then 'missing_id'
        when quantity is null or quantity <= 0 then 'quantity_not_positive'
        when unit_price is null or unit_price < 0 then 'unit_price_missing_or_negative'
        when discount is null or discount not between 0 and 1 then 'discount_not_0_to_1'
    end
    {%- elif table_name == 'events' -%}
    case
        when event_id is null then 'missing_event_id'
        when professional_id_anonymized is null then 'missing_professional_id'
        when created_at is null then 'missing_created_at'
        when
            event_type is null
            or event_type not in (
                'created_account',
                'became_able_to_propose',
                'became_unable_to_propose',
                'proposed'
            )
            then 'unknown_event_type'
        when event_type <> 'proposed' and nullif(meta_data, '') is not null
            then 'unexpected_meta_data'
        when event_type = 'proposed' and nullif(meta_data, '') is null then 'missing_meta_data'
        {#- Integer, two names without underscores, and an amount that fits its column without rounding. #}
        when event_type = 'proposed'
            and not {{ matches('meta_data', '^[0-9]{1,18}_[^_]+_[^_]+_[0-9]{1,15}([.][0-9]{1,4})?$') }}
            then 'malformed_meta_data'
    end
    {%- endif -%}
{%- endmacro %}
