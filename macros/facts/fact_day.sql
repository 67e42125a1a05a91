{#-
    None: the fact must be rebuilt. Its record is there only if the last build was whole, good and
    not made stale by a load: start_build removes it otherwise. Then everything that the fact is made
    from is of the recorded day, or of this build's. A day built again is rebuilt, so that a build
    mends what was damaged by hand; a day before the recorded one, too, because a load of the recorded
    one meanwhile wouldn't make that build stale.
    Asked several times a build, so the answer is kept in the graph.
-#}
{% macro fact_day() %}
    {%- if not execute or not changes_in_place() or not builds_relations()
        or model.unique_id not in graph.nodes -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set answers = graph.nodes[model.unique_id].setdefault('fact_days', {}) -%}
    {%- if invocation_id not in answers -%}
        {%- set days = [] -%}
        {%- if not flags.FULL_REFRESH and not flags.EMPTY and not flags.SAMPLE
            and adapter.get_relation(this.database, this.schema, this.identifier).is_table -%}
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
                {%- do days.append("cast('" ~ (day | string)[:10] ~ "' as date)") -%}
            {%- endfor -%}
        {%- endif -%}
        {%- if days -%}
            {%- set key = config.get('meta').changed_key -%}
            {#- From a fifth of the rows on, a rebuild is as fast. -#}
            {%- set sql -%}
                select count(*) > 5 * count(case when {{ key }} in (
                    {{ context[model.name ~ '_changes'](days[0]) }}
                ) then 1 end)
                from {{ this }}
            {%- endset -%}
            {%- if not run_query(sql).columns[0].values()[0] -%}
                {%- do days.clear() -%}
            {%- endif -%}
        {%- endif -%}
        {%- do answers.update({invocation_id: days | first | default(none)}) -%}
    {%- endif -%}
    {{ return(answers[invocation_id]) }}
{% endmacro %}
