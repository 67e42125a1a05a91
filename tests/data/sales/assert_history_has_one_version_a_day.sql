-- Fails if a version in a snapshot ends before it begins, or after the key's next version begins,
-- because then the key has two versions on one day, and every total as of that day counts it twice.
{%- set snapshots = {
    'category_id': ref('categories_snapshot'),
    'customer_id': ref('customers_snapshot'),
    'employee_id': ref('employees_snapshot'),
    'product_id': ref('products_snapshot'),
    'supplier_id': ref('suppliers_snapshot'),
} %}

with versions as (
    {%- for key, snapshot in snapshots.items() %}
        {% if not loop.first %}
            union all
        {% endif %}
        select
            '{{ snapshot.identifier }}' as snapshot_name,
            cast({{ key }} as varchar) as snapshot_key,
            dbt_valid_from,
            dbt_valid_to,
            lead(dbt_valid_from) over (
                partition by {{ key }} order by dbt_valid_from
            ) as next_valid_from
        from {{ snapshot }}
    {%- endfor %}
)

select *
from versions
where
    dbt_valid_to <= dbt_valid_from
    or next_valid_from <= dbt_valid_from
    or (next_valid_from is not null and dbt_valid_to is null)
    or next_valid_from < dbt_valid_to
