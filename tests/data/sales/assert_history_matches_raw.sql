-- Fails if the versions in a snapshot that are valid on the run date differ from what the source
-- held on that day, because then every question about the past is answered wrongly.
--
-- EXCEPT treats NULLs as equal and compares bytes; ALL also finds repeated versions.
{%- set snapshots = {
    'category_id': [ref('categories_snapshot'), ref('stg_northwind__categories')],
    'customer_id': [ref('customers_snapshot'), ref('stg_northwind__customers')],
    'employee_id': [ref('employees_snapshot'), ref('stg_northwind__employees')],
    'product_id': [ref('products_snapshot'), ref('stg_northwind__products')],
    'supplier_id': [ref('suppliers_snapshot'), ref('stg_northwind__suppliers')],
} -%}

{%- for key, (snapshot, staged) in snapshots.items() %}
    {#- Columns of the view, so that a column missing in the snapshot is an error. -#}
    {%- set columns = adapter.get_columns_in_relation(staged) if execute else [] -%}
    {%- set columns = columns | map(attribute='name') | reject('eq', '_run_date') | join(', ') -%}
    {% if not loop.first %}
        union all
    {% endif %}
    (
        with held as (
            select {{ columns or key }} from {{ staged }}
        ),

        valid as (
            select {{ columns or key }}
            from {{ snapshot }}
            where
                dbt_valid_from <= {{ run_date() }}
                and (dbt_valid_to is null or dbt_valid_to > {{ run_date() }})
        )

        select
            '{{ snapshot.identifier }}' as snapshot_name,
            cast({{ key }} as varchar) as snapshot_key,
            'not in history' as problem
        from (
            select * from held
            except all
            select * from valid
        ) as missing

        union all

        select
            '{{ snapshot.identifier }}' as snapshot_name,
            cast({{ key }} as varchar) as snapshot_key,
            'not in the source' as problem
        from (
            select * from valid
            except all
            select * from held
        ) as unexpected
    )
{%- endfor %}
