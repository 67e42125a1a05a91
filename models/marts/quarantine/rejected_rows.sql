-- depends_on: {{ ref('stg_northwind__rejected_orders') }}
-- depends_on: {{ ref('stg_northwind__rejected_order_details') }}
-- depends_on: {{ ref('stg_marketplace__rejected_events') }}
-- depends_on: {{ ref('stg_people__quarantined_rows') }}
{%- set days = unjudged_days(this) | join(', ') or 'null' %}
{#- dbt doesn't know models while it parses, so the kinds of rejects are listed above. #}
{%- set kinds = [] %}
{%- for id in model.depends_on.nodes if execute and not id.endswith('stg_ops__rejected_lines') %}
    {%- do kinds.append(graph.nodes[id]) %}
{%- endfor %}

with rejected_lines as (
    select
        run_date,
        source_name,
        table_name,
        file,
        line_number,
        rule,
        raw_text
    from {{ ref('stg_ops__rejected_lines') }}
    where run_date in ({{ days }})
),

all_rejects as (
    select * from rejected_lines
    {%- for staged in kinds %}

        union all

        select
            _run_date as run_date,
            source_name,
            table_name,
            {{ 'file' if 'file' in staged.columns else 'null' }} as file, -- noqa: RF04
            {{ 'line_number' if 'line_number' in staged.columns else 'null' }} as line_number,
            rule,
            raw_text
        from {{ ref(staged.name) }}
        where _run_date in ({{ days }})
    {%- endfor %}
),

final as (
    select
        run_date,
        source_name as source, -- noqa: RF04
        table_name,
        file,
        line_number,
        rule,
        cast(raw_text as varchar) as raw_text
    from all_rejects
)

select * from final
