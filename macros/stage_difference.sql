{#- Missing sums, and stages that a table doesn't reach, are NULL and count as equal. -#}
{% macro stage_difference(stages, before, after) -%}
    case
        {%- for measure, unit in [('count', ' rows'), ('key_sum', ''), ('amount_sum', '')] %}
        {%- set label = '' if measure == 'count' else measure | replace('_', ' ') ~ ' ' %}
        when {{ before }}_{{ measure }} <> {{ after }}_{{ measure }}
            then
                '{{ stages }}: {{ label }}' || cast({{ before }}_{{ measure }} as varchar)
                || '{{ unit }}, ' || cast({{ after }}_{{ measure }} as varchar) || '{{ unit }}'
        {%- endfor %}
    end
{%- endmacro %}
