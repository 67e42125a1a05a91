{#- A pre-hook, before rows that other tables refer to are deleted: their own hooks add the keys again. -#}
{% macro drop_references() %}
    {{ return(adapter.dispatch('drop_references')()) }}
{% endmacro %}

{% macro default__drop_references() %}
    {{ return('') }}
{% endmacro %}

{% macro postgres__drop_references() %}
    {%- if fact_day() is not none %}
        {%- set sql -%}
            select conrelid::regclass::text, quote_ident(conname)
            from pg_constraint
            where contype = 'f' and confrelid = '{{ this }}'::regclass
        {%- endset -%}
        {%- for table, name in run_query(sql).rows %}
            alter table {{ table }} drop constraint {{ name }};
        {%- endfor %}
    {%- endif %}
{% endmacro %}
