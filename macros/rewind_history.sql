{% macro rewind_history(snapshot) %}
    {%- if execute and load_relation(snapshot) is not none %}
        {%- if not selected_resources %}
        -- `dbt retry` doesn't list what it runs, so start_build has left the record as it was.
        delete from raw_ops.history_days where run_date >= {{ run_date() }};
        {%- endif %}
        delete from {{ snapshot }} where dbt_valid_from >= {{ run_date() }};
        update {{ snapshot }} set dbt_valid_to = null where dbt_valid_to >= {{ run_date() }};
    {%- endif %}
{% endmacro %}
