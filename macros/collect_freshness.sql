{#-
    Overrides dbt's macro: with the var `run_date`, age is measured at the end of that day, without
    later days, so that the result doesn't depend on the time of the query.
-#}
{% macro collect_freshness(source, loaded_at_field, filter) %}
    {%- if var('run_date', none) is none -%}
        {{ return(dbt.collect_freshness(source, loaded_at_field, filter)) }}
    {%- endif -%}
    {%- call statement('collect_freshness', fetch_result=true, auto_begin=false) -%}
        select
            max({{ loaded_at_field }}) as max_loaded_at,
            cast({{ run_date() }} as timestamp) + interval '1 day' as snapshotted_at
        from {{ source }}
        where
            {{ loaded_at_field }} <= {{ run_date() }}
            {%- if filter %}
            and ({{ filter }})
            {%- endif %}
    {%- endcall -%}
    {{ return(load_result('collect_freshness')) }}
{% endmacro %}
