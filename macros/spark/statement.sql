{#- Overrides dbt's macro, through which all SQL goes: an engine may need it in other words, or in parts. -#}
{%- macro statement(name=none, fetch_result=false, auto_begin=true, language='sql') -%}
    {%- for part in adapter.dispatch('statements')(caller()) -%}
        {%- call dbt.statement(name, fetch_result, auto_begin, language) -%}
            {{ part }}
        {%- endcall -%}
    {%- endfor -%}
{%- endmacro %}

{% macro default__statements(sql) %}
    {{ return([sql]) }}
{% endmacro %}

{#- Overrides dbt's macro, by which contracts compare the types of two queries. -#}
{% macro get_column_schema_from_query(select_sql, select_sql_header=none) %}
    {%- set query = get_empty_subquery_sql(select_sql, select_sql_header) -%}
    {{ return(adapter.get_column_schema_from_query(adapter.dispatch('statements')(query) | first)) }}
{% endmacro %}
