{#- A post-hook, in the transaction of the fact's rows. -#}
{% macro record_fact() %}
    {%- if execute and changes_in_place() and builds_relations() %}
        delete from raw_ops.fact_days where fact = '{{ model.name }}';
        insert into raw_ops.fact_days (fact, run_date, code, invocation_id)
        select
            '{{ model.name }}' as fact,
            {{ run_date() }} as run_date,
            '{{ fact_code() }}' as code,
            '{{ invocation_id }}' as invocation_id;
    {%- endif %}
{% endmacro %}
