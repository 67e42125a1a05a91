{#-
    The recorded day of the fact that is being built; none if the fact must be rebuilt.
    Asked several times a build, so the answer is kept in the graph.
-#}
{% macro fact_day() %}
    {%- if not execute or model.unique_id not in graph.nodes -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set answers = graph.nodes[model.unique_id].setdefault('fact_days', {}) -%}
    {%- if invocation_id not in answers -%}
        {%- set day = recorded_day() -%}
        {%- if day -%}
            {%- set key = config.get('meta').changed_key -%}
            {#- From a fifth of the rows on, a rebuild is as fast. -#}
            {%- set sql -%}
                select count(*) > 5 * count(case when {{ key }} in (
                    {{ context[model.name ~ '_changes'](day) }}
                ) then 1 end)
                from {{ this }}
            {%- endset -%}
            {%- if not run_query(sql).columns[0].values()[0] -%}
                {%- set day = none -%}
            {%- endif -%}
        {%- endif -%}
        {%- do answers.update({invocation_id: day}) -%}
    {%- endif -%}
    {{ return(answers[invocation_id]) }}
{% endmacro %}
