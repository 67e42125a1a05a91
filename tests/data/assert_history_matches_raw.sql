-- Fails if a snapshot's versions that are valid on the run date differ from what the source held on
-- that day, because then every question about the past is answered wrongly.
{%- set snapshots = [
    ('customers_snapshot', 'customer_id', ref('customers_snapshot'), ref('stg_northwind__customers')),
    ('employees_snapshot', 'employee_id', ref('employees_snapshot'), ref('stg_northwind__employees')),
    ('products_snapshot', 'product_id', ref('products_snapshot'), ref('stg_northwind__products')),
    ('suppliers_snapshot', 'supplier_id', ref('suppliers_snapshot'), ref('stg_northwind__suppliers'))
] %}
{%- for name, key, snapshot, staged in snapshots %}
{%- set columns = [key] %}
{%- if execute %}
{%- set columns = adapter.get_columns_in_relation(staged)
    | map(attribute='name') | reject('equalto', '_run_date') | list %}
{%- endif %}
{{ 'union all' if not loop.first }}

select
    '{{ name }}' as snapshot_name,
    cast({{ key }} as varchar) as snapshot_key,
    problem
from (
    (
        select
            {{ columns | join(',\n            ') }},
            'not in history' as problem
        from {{ staged }}

        except

        select
            {{ columns | join(',\n            ') }},
            'not in history' as problem
        from {{ snapshot }}
        where
            dbt_valid_from <= {{ run_date() }}
            and (dbt_valid_to is null or dbt_valid_to > {{ run_date() }})
    )

    union all

    (
        select
            {{ columns | join(',\n            ') }},
            'not in the source' as problem
        from {{ snapshot }}
        where
            dbt_valid_from <= {{ run_date() }}
            and (dbt_valid_to is null or dbt_valid_to > {{ run_date() }})

        except

        select
            {{ columns | join(',\n            ') }},
            'not in the source' as problem
        from {{ staged }}
    )
) as {{ name }}_differences
{%- endfor %}
