{% macro rewind_history(snapshot) %}
    {%- if execute and load_relation(snapshot) is not none %}
        {#-
            First what says that history has the day: then a kill in between leaves history that
            claims too little, which the next replay mends, never too much. After start_build there
            is nothing left to delete but in `dbt retry`; asked first, because DuckDB takes two
            deletes of the same rows by two threads for a conflict.
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
