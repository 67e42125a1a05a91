{% macro unjudged_days(rejected_rows) -%}
    {%- set days = [] -%}
    {%- if execute and builds_relations() -%}
        {%- set judged = judged_days(rejected_rows) -%}
        {%- set is_judged = is_incremental() and load_relation(judged) is not none -%}
        {%- set sql -%}
            select loaded.run_date
            from ({{ judged_inputs() }}) as loaded
            {%- if is_judged %}
            left join {{ judged }} as judged
                on
                    loaded.run_date = judged.run_date
                    and loaded.inputs = judged.inputs
            where judged.run_date is null
            {%- endif %}
            order by 1
        {%- endset -%}
        {%- for day in run_query(sql).columns[0].values() -%}
            {%- do days.append("cast('" ~ (day | string)[:10] ~ "' as date)") -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(days | join(', ') or 'null') }}
{%- endmacro %}
