{#- An array lands in Postgres' text format: `{plain,"quoted, with \" and \\"}`. -#}
{% macro joined_array(column) -%}
    {{ return(adapter.dispatch('joined_array')(column)) }}
{%- endmacro %}

{% macro default__joined_array(column) -%}
    array_to_string(
        list_transform(
            list_filter(
                regexp_extract_all(
                    substr({{ column }}, 2, length({{ column }}) - 2),
                    '(?s)"(?:[^"\\]|\\.)*"|[^,]+'
                ),
                lambda part: part <> 'NULL'
            ),
            lambda part: regexp_replace(
                regexp_replace(part, '(?s)^"(.*)"$', '\1'), '(?s)\\(.)', '\1', 'g'
            )
        ),
        '; '
    )
{%- endmacro %}

{% macro spark__joined_array(column) -%}
    array_join(
        transform(
            filter(
                regexp_extract_all(
                    substr({{ column }}, 2, length({{ column }}) - 2),
                    '(?s)"(?:[^"\\]|\\.)*"|[^,]+',
                    0
                ),
                part -> part <> 'NULL'
            ),
            part -> regexp_replace(
                regexp_replace(part, '(?s)^"(.*)"$', '$1'), '(?s)\\(.)', '$1'
            )
        ),
        '; '
    )
{%- endmacro %}

{% macro postgres__joined_array(column) -%}
    array_to_string(cast({{ column }} as text []), '; ')
{%- endmacro %}
