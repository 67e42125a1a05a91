{#- Refuse a session whose settings would give other results, before anything is built. -#}
{% macro refuse_engine() %}
    {{ return(adapter.dispatch('refuse_engine')()) }}
{% endmacro %}

{% macro default__refuse_engine() %}
{% endmacro %}

{#- dbt-spark turns ANSI mode off: a bad cast would be NULL, and "name" a text. -#}
{% macro spark__refuse_engine() %}
    {%- if run_query('set spark.sql.ansi.enabled').rows[0][1] | string | lower != 'true' -%}
        {{ exceptions.raise_compiler_error(
            "dbt has turned Spark's ANSI mode off, where errors are silent NULLs; next: make spark-setup"
        ) }}
    {%- endif -%}
{% endmacro %}
