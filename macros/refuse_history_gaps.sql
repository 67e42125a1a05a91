{% macro refuse_history_gaps(day) %}
    {%- set use = history_use() -%}
    {%- if use != 'none' -%}
        {%- set gaps = run_query(history_gaps(day, use == 'reads')).columns[0].values() -%}
        {%- if gaps -%}
            {{ exceptions.raise_compiler_error(
                "history is behind run date " ~ day ~ ", it lacks "
                ~ gaps | map('string') | join(', ') ~ next_command('build', day)
            ) }}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
