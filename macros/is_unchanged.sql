{#-
    Whether the table that is being built has its rows of the run date already: the same code made it
    on an earlier day, on which raw had the same rows of the tables that it is made from. Its record is
    there under the conditions of fact_day.
-#}
{% macro is_unchanged(raw) %}
    {%- if not raw or not changes_in_place() or not builds_relations()
        or flags.FULL_REFRESH or flags.EMPTY or flags.SAMPLE
        or not adapter.get_relation(this.database, this.schema, this.identifier).is_table -%}
        {{ return(false) }}
    {%- endif -%}
    {%- set sql -%}
        select count(*)
        from raw_ops.fact_days
        where
            fact = '{{ model.name }}'
            and code = '{{ fact_code() }}'
            and run_date < {{ run_date() }}
            and run_date in (select run_date from raw_ops.landed_tables)
            and not exists (
                select 1
                from raw_ops.landed_tables as landed
                where
                    landed.run_date in (fact_days.run_date, {{ run_date() }})
                    and (landed.raw_schema, landed.table_name) in ({{ raw | join(', ') }})
                group by landed.raw_schema, landed.table_name
                having count(*) < 2 or min(landed.content_hash) <> max(landed.content_hash)
            )
    {%- endset -%}
    {{ return(run_query(sql).columns[0].values()[0] > 0) }}
{% endmacro %}
