select * from {{ ref('stg_ops__raw_northwind_totals') }}

union all

select * from {{ ref('stg_ops__raw_marketplace_totals') }}

union all

select * from {{ ref('stg_ops__raw_people_totals') }}

union all

select * from {{ ref('stg_ops__raw_community_totals') }}
