{#- A pre-hook, in the transaction in which dbt then inserts the rows of these keys again. -#}
{% macro delete_changed() %}
    {%- if fact_day() is not none %}
        {%- set key = config.get('meta').changed_key %}
        {#- Kept, so that what is deleted is what is inserted, whatever is loaded meanwhile. -#}
        {%- set changed = model.name ~ '__changed' %}
        drop table if exists {{ changed }};
        create temporary table {{ changed }} as
        {{ context[model.name ~ '_changes'](fact_day()) }};
        delete from {{ this }} where {{ is_changed() }};
    {%- endif %}
{% endmacro %}
