{% macro event_reject_reason() -%}
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
        when event_type = 'proposed' and not {{ has_valid_meta_data() }} then 'malformed_meta_data'
    end
{%- endmacro %}
