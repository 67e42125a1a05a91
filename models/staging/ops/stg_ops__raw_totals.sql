-- depends_on: {{ source('northwind', 'categories') }}
-- depends_on: {{ source('northwind', 'customer_customer_demo') }}
-- depends_on: {{ source('northwind', 'customer_demographics') }}
-- depends_on: {{ source('northwind', 'customers') }}
-- depends_on: {{ source('northwind', 'employee_territories') }}
-- depends_on: {{ source('northwind', 'employees') }}
-- depends_on: {{ source('northwind', 'order_details') }}
-- depends_on: {{ source('northwind', 'orders') }}
-- depends_on: {{ source('northwind', 'products') }}
-- depends_on: {{ source('northwind', 'region') }}
-- depends_on: {{ source('northwind', 'shippers') }}
-- depends_on: {{ source('northwind', 'suppliers') }}
-- depends_on: {{ source('northwind', 'territories') }}
-- depends_on: {{ source('northwind', 'us_states') }}
-- depends_on: {{ source('marketplace', 'event_log') }}
-- depends_on: {{ source('people', 'departments') }}
-- depends_on: {{ source('people', 'jobs') }}
-- depends_on: {{ source('people', 'employees') }}
-- depends_on: {{ source('people', 'rejected_rows') }}
-- depends_on: {{ source('community', 'users') }}
-- depends_on: {{ source('community', 'posts') }}
-- depends_on: {{ source('community', 'comments') }}
-- depends_on: {{ source('community', 'albums') }}
-- depends_on: {{ source('community', 'photos') }}
-- depends_on: {{ source('community', 'todos') }}

{%- for table in catalogue('raw') %}
    {% if not loop.first %}
        union all
    {% endif %}
    select
        cast(_run_date as date) as run_date,
        cast('{{ table.source_name }}' as varchar) as source_name,
        cast('{{ table.table_name }}' as varchar) as table_name,
        {{ control_totals(table) }}
    from {{ table.relation }}
    group by _run_date
{%- endfor %}
