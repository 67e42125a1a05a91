{#- Refuse an engine that would give other results, before anything is built. -#}
{% macro refuse_engine() %}
    {{ return(adapter.dispatch('refuse_engine')()) }}
{% endmacro %}

{% macro default__refuse_engine() %}
{% endmacro %}

{#- Two builds at once would mix two days. DuckDB locks its file; this lock ends with dbt's connection. -#}
{% macro postgres__refuse_engine() %}
    {%- set lock = "select pg_try_advisory_lock(hashtext('tradewinds build'))" -%}
    {%- if not run_query(lock).rows[0][0] -%}
        {{ exceptions.raise_compiler_error(
            "the warehouse is being built by another process; wait for it to end"
        ) }}
    {%- endif -%}
{% endmacro %}

{#- dbt-spark turns ANSI mode off: a bad cast would be NULL, and "name" a text. -#}
{% macro spark__refuse_engine() %}
    {%- if run_query('set spark.sql.ansi.enabled').rows[0][1] | string | lower != 'true' -%}
        {{ exceptions.raise_compiler_error(
            "dbt has turned Spark's ANSI mode off, where errors are silent NULLs; next: make spark-setup"
        ) }}
    {%- endif -%}
{% endmacro %}
