select * from {{ ref('int_northwind_staging_totals') }}

union all

select * from {{ ref('int_marketplace_staging_totals') }}

union all

select * from {{ ref('int_people_staging_totals') }}

union all

select * from {{ ref('int_community_staging_totals') }}
