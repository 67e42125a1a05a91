{#-
    Whether a text matches a regular expression that an empty text doesn't match. DuckDB extracts once
    for all rows that share a text; its operator `~` looks at each row.
-#}
{% macro matches(text, pattern) -%}
    {{ return(adapter.dispatch('matches')(text, pattern)) }}
{%- endmacro %}

{% macro default__matches(text, pattern) -%}
    {{ text }} ~ '{{ pattern }}'
{%- endmacro %}

{% macro duckdb__matches(text, pattern) -%}
    regexp_extract({{ text }}, '{{ pattern }}') <> ''
{%- endmacro %}
