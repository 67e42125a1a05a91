-- depends_on: {{ ref('stg_northwind__categories') }}
-- depends_on: {{ ref('stg_northwind__customer_customer_demo') }}
-- depends_on: {{ ref('stg_northwind__customer_demographics') }}
-- depends_on: {{ ref('stg_northwind__customers') }}
-- depends_on: {{ ref('stg_northwind__employee_territories') }}
-- depends_on: {{ ref('stg_northwind__employees') }}
-- depends_on: {{ ref('stg_northwind__order_details') }}
-- depends_on: {{ ref('stg_northwind__orders') }}
-- depends_on: {{ ref('stg_northwind__products') }}
-- depends_on: {{ ref('stg_northwind__region') }}
-- depends_on: {{ ref('stg_northwind__shippers') }}
-- depends_on: {{ ref('stg_northwind__suppliers') }}
-- depends_on: {{ ref('stg_northwind__territories') }}
-- depends_on: {{ ref('stg_northwind__us_states') }}
-- depends_on: {{ ref('stg_marketplace__events') }}
-- depends_on: {{ ref('stg_people__departments') }}
-- depends_on: {{ ref('stg_people__jobs') }}
-- depends_on: {{ ref('stg_people__employees') }}
-- depends_on: {{ ref('stg_people__rejected_rows') }}
-- depends_on: {{ ref('stg_community__users') }}
-- depends_on: {{ ref('stg_community__posts') }}
-- depends_on: {{ ref('stg_community__comments') }}
-- depends_on: {{ ref('stg_community__albums') }}
-- depends_on: {{ ref('stg_community__photos') }}
-- depends_on: {{ ref('stg_community__todos') }}

{%- for table in catalogue('staging') %}
    {% if not loop.first %}
        union all
    {% endif %}
    select
        cast('{{ table.source_name }}' as varchar) as source_name,
        cast('{{ table.table_name }}' as varchar) as table_name,
        {{ control_totals(table, rows=table.rows) }},
        {{ control_totals(table, rows=table.rejected_rows, prefix='rejected_') }}
    from {{ table.relation }}
{%- endfor %}
