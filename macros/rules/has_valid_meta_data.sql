{#- Integer, two names without underscores, and an amount that fits its column without rounding. -#}
{% macro has_valid_meta_data() -%}
    coalesce(meta_data ~ '^[0-9]{1,18}_[^_]+_[^_]+_[0-9]{1,15}([.][0-9]{1,4})?$', false)
{%- endmacro %}
