{#-
    The earlier day whose rows the table that is being built has, as SQL; none if that isn't known. Its
    record is there only if the last build was whole, good and not made stale by a load: start_build
    removes it otherwise. Then everything that the table is made from is of the recorded day, or of this
    build's. A day built again is rebuilt, so that a build mends what was damaged by hand; a day before
    the recorded one, too, because a load of the recorded one meanwhile wouldn't make that build stale.
-#}
{% macro recorded_day() %}
    {%- if not execute or not changes_in_place() or not builds_relations()
        or model.unique_id not in graph.nodes or flags.FULL_REFRESH or flags.EMPTY or flags.SAMPLE
        or not adapter.get_relation(this.database, this.schema, this.identifier).is_table -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set sql -%}
        select run_date
        from raw_ops.fact_days
        where
            fact = '{{ model.name }}'
            and code = '{{ fact_code() }}'
            and run_date < {{ run_date() }}
            and run_date in (select run_date from raw_ops.landed_tables)
    {%- endset -%}
    {%- for day in run_query(sql).columns[0].values() -%}
        {{ return("cast('" ~ (day | string)[:10] ~ "' as date)") }}
    {%- endfor -%}
    {{ return(none) }}
{% endmacro %}
