{#- A part of an accepted proposal's meta data, as text: `{service_id}_{name_nl}_{name_en}_{lead_fee}`. -#}
{% macro proposal_part(column) -%}
    {%- set parts = ['service_id', 'service_name_nl', 'service_name_en', 'lead_fee_eur'] -%}
    split_part(meta_data, '_', {{ parts.index(column) + 1 }})
{%- endmacro %}
