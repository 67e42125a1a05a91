{% macro rewind_history(snapshot) %}
    {%- if execute and load_relation(snapshot) is not none %}
        {#-
            First the record that history has the day: a kill in between then leaves a record of too
            few days, which the next replay fixes, never of too many. After start_build only
            `dbt retry` has rows to delete here. The check comes first, because DuckDB treats two
            deletes of the same rows by two threads as a conflict.
        -#}
        {%- set claims -%}
            select count(*) from raw_ops.history_days where run_date >= {{ run_date() }}
        {%- endset %}
        {%- if run_query(claims).columns[0].values()[0] > 0 %}
            delete from raw_ops.history_days where run_date >= {{ run_date() }};
        {%- endif %}
        delete from {{ snapshot }} where dbt_valid_from >= {{ run_date() }};
        update {{ snapshot }} set dbt_valid_to = null where dbt_valid_to >= {{ run_date() }};
    {%- endif %}
{% endmacro %}
