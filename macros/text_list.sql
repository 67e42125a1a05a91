{#- The rows' texts as one, in this order; NULLs are left out. -#}
{% macro text_list(text, separator, order_by) -%}
    {{ return(adapter.dispatch('text_list')(text, separator, order_by)) }}
{%- endmacro %}

{% macro default__text_list(text, separator, order_by) -%}
    string_agg({{ text }}, '{{ separator }}' order by {{ order_by }})
{%- endmacro %}

{% macro spark__text_list(text, separator, order_by) -%}
    case
        when count({{ text }}) > 0
            then array_join(
                transform(
                    array_sort(collect_list(struct({{ order_by }}, {{ text }} as _text))),
                    one -> one._text
                ),
                '{{ separator }}'
            )
    end
{%- endmacro %}
