-- depends_on: {{ ref('dim_categories') }}
-- depends_on: {{ ref('dim_customers') }}
-- depends_on: {{ ref('dim_employees') }}
-- depends_on: {{ ref('fct_order_lines') }}
-- depends_on: {{ ref('fct_orders') }}
-- depends_on: {{ ref('dim_products') }}
-- depends_on: {{ ref('dim_shippers') }}
-- depends_on: {{ ref('dim_suppliers') }}
-- depends_on: {{ ref('fct_events') }}
-- depends_on: {{ ref('dim_departments') }}
-- depends_on: {{ ref('dim_jobs') }}
-- depends_on: {{ ref('fct_hires') }}
-- depends_on: {{ ref('dim_users') }}
-- depends_on: {{ ref('dim_posts') }}
-- depends_on: {{ ref('fct_comments') }}

-- A project may have no mart that is reconciled.
select
    cast(null as varchar) as source_name,
    cast(null as varchar) as table_name,
    cast(null as bigint) as row_count,
    cast(null as decimal(38, 0)) as key_sum,
    cast(null as decimal(38, 4)) as amount_sum
where false
{%- for table in catalogue('mart') %}

    union all

    select
        cast('{{ table.source_name }}' as varchar) as source_name,
        cast('{{ table.table_name }}' as varchar) as table_name,
        {{ control_totals(table) }}
    from {{ table.relation }}
    where {{ table.rows }}
{%- endfor %}
